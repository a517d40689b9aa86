"""Measures of the engine, by anyone, on anyone's photos: `evaluate` puts the parts together."""

from face_engine.evaluation.evaluate import Evaluation, Options, evaluate, report

__all__ = ["Evaluation", "Options", "evaluate", "report"]

"""Fuzzing of every gate through which foreign bytes come in.

One module of `gates` per gate, used twice: by `make fuzz`, where Atheris looks for inputs that
reach new code, and by `make test`, which tries what was found before and some hundred random
changes of honest samples.
"""

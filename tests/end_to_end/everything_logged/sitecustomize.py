"""Makes a tier log all that it and its libraries could, to prove that nothing of it is a secret.

Python imports a module of this name at start when its folder is on `PYTHONPATH`; the test puts it
there.
"""

import logging
from typing import Any

_configure = logging.basicConfig


def _everything(**given: Any) -> None:
    _configure(**(given | {"level": logging.DEBUG}))
    logging.getLogger("everything").debug("logged=everything")


logging.basicConfig = _everything

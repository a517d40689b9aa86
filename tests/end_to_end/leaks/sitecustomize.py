"""Makes one handler of the cloud leak on purpose, to prove that the tests would notice.

Python imports a module of this name at start when its folder is on `PYTHONPATH`; the tests put
it there. `GATEHOUSE_TEST_LEAK` says how the upload's handler leaks.
"""

import logging
import os
import tempfile
from typing import Any

from enrollment_cloud.enrollment import routes, uploads

_LEAK = os.environ.get("GATEHOUSE_TEST_LEAK", "")
_kept: list[bytes] = []
_read_sealed = uploads.read_sealed


async def _leaking(*arguments: Any, **named: Any) -> bytes:
    body = await _read_sealed(*arguments, **named)
    match _LEAK:
        case "temporary file":
            with tempfile.NamedTemporaryFile(delete=False) as file:
                file.write(body)
        case "log":
            logging.getLogger("enrollment_cloud").warning("body=%s", body.hex())
        case "memory":
            _kept.append(body)
    return body


# The route's own name for it is what the route calls.
vars(routes)["read_sealed"] = _leaking

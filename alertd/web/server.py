"""The daemon's HTTP: the status page, metrics, health, reload, and our API.

    server = WebServer(listen, store, engine, reload, clock=clock, metrics=metrics)
    await server.start()                    # server.origin is where it listens
    await server.stop()

It runs in the daemon's own event loop, so that an answer also proves that the loop turns.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from alertd.clock import Clock, SystemClock
from alertd.config.sections import Listen
from alertd.errors import ConfigError, Problem, StoreError, UsageError
from alertd.metrics import Metrics
from alertd.redaction import redact
from alertd.store.port import Store
from alertd.web.api import Api, json_response
from alertd.web.guard import Guard
from alertd.web.listening import Listening
from alertd.web.pages import page
from alertd.web.status import EngineStatus, StoreStatus

log = structlog.get_logger(__name__)

Reload = Callable[[], Awaitable[tuple[Problem, ...]]]


class WebServer:
    """What listens on `listen`.

    engine: the running engine's facts. reload: takes the configuration over and gives warnings, or raises ConfigError.
    external_url: how people reach it from elsewhere, through a proxy.
    """

    def __init__(
        self,
        listen: Listen,
        store: Store,
        engine: EngineStatus,
        reload: Reload,
        *,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        external_url: str | None = None,
    ) -> None:
        self._status = StoreStatus(store, engine, clock or SystemClock())
        self._metrics = metrics or Metrics()
        self._reload = reload
        api = Api(self._status, store)
        routes = [
            Route("/", self.home),
            Route("/metrics", self.metrics),
            Route("/-/healthy", self.healthy),
            Route("/-/ready", self.ready),
            Route("/-/reload", self.reload, methods=["POST"]),
            Mount("/api/v1", routes=api.routes()),
        ]
        app = Starlette(routes=routes, exception_handlers={StoreError: _store_trouble})
        self._listening = Listening(Guard(app, external_url=external_url), host=listen.host, port=listen.port)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._listening.origin

    async def start(self) -> None:
        """Listen; raises UsageError when the address cannot be had."""
        try:
            await self._listening.start()
        except OSError as exc:
            raise UsageError(
                f"{self.origin} cannot be listened on ({exc.strerror or exc}); "
                "another process has it: stop that one, or choose another `web.listen`"
            ) from exc
        log.info("web.listening", origin=self.origin)

    async def stop(self) -> None:
        """Stop listening. Idempotent."""
        await self._listening.stop()

    async def home(self, request: Request) -> Response:  # noqa: ARG002 - always the same page
        """Show the status page."""
        return page("status.html.j2", snapshot=await self._status.snapshot())

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002
        """Give the metrics in Prometheus' text format."""
        snapshot = await self._status.snapshot()
        return Response(self._metrics.exposition(snapshot.figures), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def healthy(self, request: Request) -> Response:  # noqa: ARG002
        """Say that the process lives and its loop turns."""
        return PlainTextResponse("healthy\n")

    async def ready(self, request: Request) -> Response:  # noqa: ARG002
        """Say whether alertd can do its work, and if not, why."""
        reasons = await self._status.reasons()
        lines = "".join(f"- {redact(reason)}\n" for reason in reasons)
        return PlainTextResponse(f"not ready\n{lines}", 503) if reasons else PlainTextResponse("ready\n")

    async def reload(self, request: Request) -> Response:
        """Read the configuration anew; 400 with all problems if it is refused, and the old one stays in force."""
        try:
            warnings = await self._reload()
        except ConfigError as error:
            return _told(request, error.problems, 400)
        except UsageError as error:
            return _told(request, [Problem(found=str(error))], 400)
        return _told(request, warnings, 200)


def _told(request: Request, problems: tuple[Problem, ...] | list[Problem], status: int) -> Response:
    """Give problems as lines, or as JSON to whoever asks for that."""
    if "application/json" in request.headers.get("accept", ""):
        plain = [attrs.asdict(problem) | {"text": redact(str(problem))} for problem in problems]
        return json_response({"problems": plain}, status)
    head = "reloaded\n" if status == 200 else "refused; the configuration that was in force stays so\n"  # noqa: PLR2004
    return PlainTextResponse(head + "".join(f"{redact(str(problem))}\n" for problem in problems), status)


async def _store_trouble(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse(f"the store cannot be read: {redact(str(error))}\n", 503)

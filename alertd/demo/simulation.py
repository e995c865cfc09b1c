"""The simulated tenants alone, for an alertd that runs elsewhere."""

from __future__ import annotations

import click
import yaml

from alertd.clock import SystemClock
from alertd.demo.setting import tenant_entry
from alertd.errors import UsageError
from alertd.interruption import Interruption
from alertd.simulator.clock import AcceleratedClock
from alertd.simulator.scenario import Scenario, scenarios
from alertd.simulator.simulator import Simulator


def listing() -> str:
    """Give the shipped scenarios, a line each."""
    loaded = [Scenario.load(name) for name in scenarios()]
    width = max(len(scenario.name) for scenario in loaded)
    return "\n".join(f"{scenario.name:<{width}}  {scenario.title}" for scenario in loaded)


async def serve(name: str | None, *, port: int, speed: float) -> None:
    """Serve a scenario, or all shipped ones, until somebody asks to stop. Raises ConfigError, and UsageError for a port that is taken."""
    played = [Scenario.load(name)] if name is not None else [Scenario.load(one) for one in scenarios()]
    simulator = Simulator(clock=AcceleratedClock(SystemClock(), speed=speed))
    for scenario in played:
        simulator.play(scenario)
    server = simulator.server(port=port)
    try:
        await server.start()
    except OSError as exc:
        raise UsageError(f"port {port} cannot be listened on ({exc.strerror}); choose another --port") from exc
    try:
        with Interruption() as interruption:
            _tell(simulator, played, server.origin, speed)
            await interruption.wait()
    finally:
        await server.stop()


def _tell(simulator: Simulator, played: list[Scenario], origin: str, speed: float) -> None:
    for scenario in played:
        click.echo(f"{scenario.title}: {scenario.length / speed} from now", err=True)
    click.echo(f"\nserving {origin}; in alertd's configuration (poll.interval 10s is the least there):\n", err=True)
    entries = [tenant_entry(tenant, origin) for tenant in simulator.tenants.values()]
    click.echo(yaml.safe_dump({"tenants": entries}, sort_keys=False), nl=False)
    click.echo("\nCtrl-C ends it", err=True)

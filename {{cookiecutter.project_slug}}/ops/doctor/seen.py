"""Everything that the doctor reads, so that checks only have to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.compose import Service, split_image
from ops.docker import Condition, Container

COMMANDS = {
    "development": "docker compose",
    "production": "docker compose -f compose.prod.yaml",
}


@dataclass(frozen=True)
class Owner:
    """Whose project this is: who runs bin/doctor; for root, the owner of the folder."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Disk:
    """A file system, and what of this project is on it."""

    path: str
    holds: str
    used: int  # bytes
    free: int  # bytes


@dataclass(frozen=True)
class StoredImage:
    """An image that is on this machine. One without a name has "<none>:<none>"."""

    name: str
    size: int  # bytes, those that it shares with other images too


@dataclass(frozen=True)
class Machine:
    """The machine, and what its Docker engine has beside the stacks."""

    owner: Owner
    engine: Mapping  # what `docker info` says
    published: Mapping[int, str]  # port -> the running container that has it
    images: list[StoredImage]
    volumes: frozenset[str]
    bridges: int  # networks, each of which takes a range of addresses
    build_cache: int  # bytes; -1 when it could not be read
    disks: list[Disk]
    clock_is_synchronised: bool | None  # None when the system does not say
    now: float  # seconds since 1970

    def has_image(self, name: str) -> bool:
        wanted = ":".join(split_image(name))
        return any(image.name == wanted for image in self.images)


@dataclass(frozen=True)
class Page:
    """How the home page was answered: a status, or why there was none."""

    url: str
    port: int  # of this machine
    status: int = 0
    error: str = ""


@dataclass(frozen=True)
class Inside:
    """What a container of the app says, from its own point of view."""

    ready: str  # "ready", or what /readyz says instead
    mail: str  # why the server of EMAIL_URL takes no connection, or ""
    mail_server: str  # host:port, or "" where no server is set
    # What docker/app/links.py says; None where there are no links.
    links: Mapping | None


@dataclass(frozen=True)
class Database:
    """What the stack's own database says; `error` alone when it could not be asked."""

    error: str = ""
    major: str = ""  # of its PostgreSQL
    size: int = 0  # bytes
    migrations: int = -1  # rows of django_migrations; -1 where there is no such table
    first_migration: str = ""  # when the first one was applied: 20260102-150405, UTC
    filled_tables: int = 0  # tables with rows, without those that migrations fill


@dataclass(frozen=True)
class Configuration:
    """What the files of one stack say."""

    stack: str  # development or production
    project: str = ""  # what Compose calls the stack
    said: Mapping = field(default_factory=dict)  # `docker compose config`
    services: Mapping[str, Service] = field(default_factory=dict)
    error: str = ""  # why Compose cannot read the files

    @property
    def command(self) -> str:
        """What a person types for Compose and this stack."""
        return COMMANDS[self.stack]

    def value(self, variable: str) -> str:
        """The value of a variable in a container; the app's where it has one."""
        names = sorted(self.services, key=lambda name: name != "app")
        found = (self.services[name].environment.get(variable) for name in names)
        return next(filter(None, found), "").replace("$$", "$")

    @property
    def database_is_elsewhere(self) -> bool:
        return bool(self.value("DATABASE_URL") or self.value("DATABASE_URL_FILE"))

    @property
    def redirect_domains(self) -> list[str]:
        """The names that redirect to the first name of the site."""
        return self.value("REDIRECT_DOMAINS").replace(",", " ").split()

    @property
    def domains(self) -> list[str]:
        """The names of the site, without the dot of those that stand for all names below."""
        listed = (self.value("DOMAIN") or "localhost").replace(",", " ").split()
        return [name for name in (one.lstrip(".") for one in listed) if name] or [
            "localhost"
        ]


@dataclass(frozen=True)
class Stack:
    """One stack: what its files say, and how it runs."""

    configuration: Configuration
    containers: list[Container]
    conditions: Mapping[str, Condition]  # by the container's ID
    # Of containers that ended badly, by ID.
    last_words: Mapping[str, str] = field(default_factory=dict)
    # Processes, by the container's ID.
    memory_kills: Mapping[str, int] = field(default_factory=dict)
    volume_major: str = (
        ""  # of PostgreSQL, read from the volume; "" when it was not read
    )
    database: Database | None = None
    inside: Inside | None = None
    page: Page | None = None
    # Port -> what the engine said to a trial.
    ports: Mapping[int, str] = field(default_factory=dict)
    # Image -> seconds since 1970.
    base_dates: Mapping[str, float] = field(default_factory=dict)
    releases: tuple[str, ...] = ()  # names, the newest first
    certificates: tuple = ()
    names: tuple = ()

    @property
    def name(self) -> str:
        return self.configuration.stack

    @property
    def is_started(self) -> bool:
        """Whether somebody ran `up`. `run` starts what its service depends on, and nothing else."""
        services = self.configuration.services
        on_demand = {name for name, service in services.items() if service.profiles}
        added = on_demand
        while added:
            needed = {
                on for name in added & {*services} for on in services[name].depends_on
            }
            added = needed - on_demand
            on_demand |= added
        return any(
            not one.oneoff and one.service not in on_demand for one in self.containers
        )

    def containers_of(self, service: str) -> list[Container]:
        """The service's containers, running or not, without those of `docker compose run`."""
        return [
            one for one in self.containers if one.service == service and not one.oneoff
        ]

    def running(self, service: str) -> Container | None:
        """A container of the service in which a command can run; a healthy one where there is one."""
        found = [one for one in self.containers_of(service) if one.running]
        found.sort(
            key=lambda one: self.conditions[one.id].health not in ("healthy", "")
        )
        return found[0] if found else None

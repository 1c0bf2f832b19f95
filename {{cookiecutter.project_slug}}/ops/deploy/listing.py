"""The table of bin/deploy --list."""

from __future__ import annotations

from ops.deploy import releases
from ops.deploy.history import Deploy
from ops.deploy.site import Site

SHOWN = 20  # deploys
ROW = "{:<16}  {:<20}  {:<12}  {:<16}  {}"


def table(site: Site, deploys: list[Deploy], image: str) -> str:
    """Return the last deploys, the newest first: release, time, user, commit, and what became of it.

    `image` is the ID of the image that serves.
    """
    rows = [ROW.format("release", "deployed (UTC)", "by", "commit", "").rstrip()]
    here = releases.local_releases(site)
    current = releases.release_of_image(
        site, image, releases.order_releases(site, deploys)
    )
    marked = False
    for deploy in reversed(deploys[-SHOWN:]):
        notes = notes_on(deploy, here)
        if deploy.served and deploy.release == current and not marked:
            notes.insert(0, "serves")
            marked = True
        time = deploy.time.replace("T", " ").rstrip("Z")
        commit = deploy.commit or "unknown"
        rows.append(
            ROW.format(
                deploy.release, time, deploy.user, commit, ", ".join(notes)
            ).rstrip()
        )
    for name in here:
        if name not in {deploy.release for deploy in deploys}:
            note = "serves" if name == current else ""
            rows.append(
                ROW.format(name, "unknown", "unknown", "unknown", note).rstrip()
            )
    return "\n".join(rows)


def notes_on(deploy: Deploy, here: list[str]) -> list[str]:
    """Return what there is to say about a deploy, except whether it serves now."""
    notes = []
    if deploy.kind == "rollback":
        notes.append("rollback")
    if not deploy.served:
        notes.append(f"went back: {deploy.reason}" if deploy.reason else "went back")
    elif deploy.release not in here:
        notes.append("its image is gone")
    return notes

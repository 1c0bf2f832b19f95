"""The CI file of a generated project: where it is, and its jobs."""

import yaml

FILES = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}


def jobs(ci: str, text: str) -> dict:
    """Return the jobs of a CI file. Each of GitLab's stands at the top."""
    document = yaml.safe_load(text)
    return document["jobs"] if ci == "github" else document

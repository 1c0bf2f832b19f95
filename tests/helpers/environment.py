"""Change a value in the text of a .env file."""


def with_value(env: str, name: str, value: str) -> str:
    return "\n".join(
        f"{name}={value}" if line.startswith(f"{name}=") else line for line in env.split("\n")
    )

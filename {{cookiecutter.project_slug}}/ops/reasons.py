def reason(output):
    return [l for l in output.splitlines() if l.strip()][-1]


def rest(output, lines=20):
    return "\n".join(output.splitlines()[-lines:])

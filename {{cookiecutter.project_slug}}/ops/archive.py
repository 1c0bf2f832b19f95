class ArchiveFailed(Exception):
    pass


def save(folder, containers):
    pass

import shutil

import pytest

from config.publish import PART, publish


@pytest.fixture
def release(tmp_path):
    """release("a.1.css", "b.1.css") publishes a release of these files, and returns all there are.

    The error pages, which are always there, are left out.
    """
    folder = tmp_path / "served"
    folder.mkdir()

    def _release(*names: str) -> set[str]:
        source = tmp_path / "-".join(names).replace("/", "_")
        source.mkdir(exist_ok=True)
        (source / "staticfiles.json").write_text("{}")
        for name in names:
            (source / name).parent.mkdir(exist_ok=True)
            (source / name).write_text(name)
        publish(source, folder)
        files = {
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.is_file()
        }
        return {file for file in files if not file.startswith("config/error-pages/")}

    return _release


def test_a_release_adds_its_files_and_keeps_those_of_the_two_before(release):
    release("a.1.css")
    release("a.2.css")
    assert release("a.3.css") == {"a.1.css", "a.2.css", "a.3.css"}


def test_files_older_than_the_last_three_releases_go(release):
    for name in ("a.1.css", "a.2.css", "a.3.css"):
        release(name)
    assert release("a.4.css") == {"a.2.css", "a.3.css", "a.4.css"}


def test_a_file_stays_as_long_as_a_release_ships_it(release):
    for name in ("a.1.css", "a.2.css", "a.3.css", "a.4.css"):
        files = release(name, "js/same.js")
    assert "js/same.js" in files


def test_the_same_release_again_pushes_nothing_out(release):
    release("a.1.css")
    for _ in range(5):
        files = release("a.2.css")
    assert files == {"a.1.css", "a.2.css"}


def test_a_file_that_was_cut_short_is_written_again(release, tmp_path):
    release("a.1.css")
    (tmp_path / "served/a.1.css").write_text("a")
    release("a.1.css")
    assert (tmp_path / "served/a.1.css").read_text() == "a.1.css"


def test_new_content_of_the_same_size_under_the_same_name_is_published(
    release, tmp_path
):
    release("plugin.js")
    (tmp_path / "plugin.js/plugin.js").write_text("PLUGIN.JS")
    publish(tmp_path / "plugin.js", tmp_path / "served")
    assert (tmp_path / "served/plugin.js").read_text() == "PLUGIN.JS"


def test_a_release_that_finds_no_room_leaves_the_files_of_the_one_before(
    release, tmp_path, monkeypatch
):
    release("a.js", "b.js")
    for name in ("a.js", "b.js"):
        (tmp_path / "a.js-b.js" / name).write_text("new")
    copyfile = shutil.copyfile

    def only_a(source, target):
        if source.name == "b.js":
            raise OSError("No space left on device")
        copyfile(source, target)

    monkeypatch.setattr("shutil.copyfile", only_a)
    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path / "a.js-b.js", tmp_path / "served")
    assert (tmp_path / "served/a.js").read_text() == "a.js"
    assert not [*(tmp_path / "served").glob(f"*{PART}")]


def test_a_file_may_have_any_ending(release):
    assert release("changes.new", "errors/404.html") == {
        "changes.new",
        "errors/404.html",
    }


def test_a_release_that_finds_no_room_leaves_nothing_behind(release, monkeypatch):
    release("a.1.css")

    def half(source, target):
        target.write_text("half")  # and no more
        raise OSError("No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("shutil.copyfile", half)
        with pytest.raises(OSError, match="No space left"):
            release("a.2.css")
    assert release("a.1.css") == {"a.1.css"}


def test_nginx_gets_the_error_pages_and_fills_in_the_number_of_the_request(
    release, tmp_path
):
    release("a.1.css")
    folder = tmp_path / "served/config/error-pages"
    pages = sorted(page.name for page in folder.iterdir())
    assert pages == [
        *("400.html", "403.html", "404.html", "413.html", "429.html"),
        *("500.html", "502.html", "503.html", "504.html", "refused.html"),
    ]
    page = (folder / "502.html").read_text()
    assert "<h1>The site did not answer</h1>" in page
    assert '<code><!--# echo var="request_id" --></code>' in page

"""Links out of the documentation, to code, configurations and folders, made to lead to a page that shows them.

The pages name files as they lie in the repository, so that they can be read there. Each file that a page links to, and
that is no page or picture of the site, gets a page below source/: code in a block, Markdown as it is, a folder as a
list. So the site stands alone, and a link that leads nowhere ends a strict build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

CODE = {".py": "python", ".c": "c", ".h": "c", ".yaml": "yaml", ".toml": "toml", ".ld": "text"}
BELOW = "source"
# A block of code; code in a line; the target of a link. Only the last has a group.
TARGET = re.compile(
    r"^(?:```|~~~).*?^(?:```|~~~)$|`[^`\n]*`|(?<=\]\()(?P<target>[^)\s]+)(?=[)\s])", re.MULTILINE | re.DOTALL
)
NOT_RELATIVE = re.compile(r"[a-z][a-z+.-]*:|#|/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file that is linked to, and for what those link to in turn."""
    root = Path(config.config_file_path).parent
    pages = Pages(root, Path(config.docs_dir), files)
    ahead = [(file.content_string, pages.place_of(file)) for file in files.documentation_pages()]
    while ahead:
        text, place = ahead.pop()
        for found in TARGET.finditer(text):
            path = pages.linked(found["target"], place)
            if path is not None and pages.uri(path) is None and path.exists():
                content = shown(path, root)
                uri = f"{BELOW}/{path.relative_to(root).as_posix()}.md"
                files.append(File.generated(config, uri, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
                if path.suffix == ".md" or path.is_dir():
                    ahead.append((content, path))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to the pages that show what they name."""
    pages = Pages(Path(config.config_file_path).parent, Path(config.docs_dir), files)
    place = pages.place_of(page.file)
    if page.file.src_uri.startswith(f"{BELOW}/"):
        page.meta["search"] = {"exclude": True}

    def replaced(found: re.Match[str]) -> str:
        target = found["target"]
        path = pages.linked(target, place)
        uri = None if path is None else pages.uri(path)
        if uri is None:
            return found[0]
        _, mark, anchor = target.partition("#")
        return os.path.relpath(uri, Path(page.file.src_uri).parent).replace(os.sep, "/") + mark + anchor

    return TARGET.sub(replaced, markdown)


class Pages:
    """Where files of the repository are on the site, and the other way round."""

    def __init__(self, root: Path, docs: Path, files: Files) -> None:
        self.root, self.docs, self.files = root, docs, files

    def place_of(self, file: File) -> Path:
        """Return the path in the repository of what a page shows."""
        uri = file.src_uri
        if uri.startswith(f"{BELOW}/"):
            return self.root / uri.removeprefix(f"{BELOW}/").removesuffix(".md")
        return self.docs / uri

    def linked(self, target: str | None, place: Path) -> Path | None:
        """Return the file of the repository that a link at `place` names; None if it is no relative link."""
        if target is None or NOT_RELATIVE.match(target):
            return None
        folder = place if place.is_dir() else place.parent
        path = Path(os.path.normpath(folder / target.partition("#")[0]))
        return path if path.is_relative_to(self.root) else None

    def uri(self, path: Path) -> str | None:
        """Return the path among the pages of a file of the repository; None if it is not among them."""
        uris = [f"{BELOW}/{path.relative_to(self.root).as_posix()}.md"]
        if path.is_relative_to(self.docs):
            inside = path.relative_to(self.docs).as_posix()
            if path.is_dir():
                uris += [f"{inside}/index.md", f"{inside}/README.md"]
            else:  # code of the examples is shown, not downloaded; that of a notebook is its page
                uris += [f"{inside.removesuffix('.py')}.md" if path.suffix in CODE else inside]
        return next((uri for uri in uris if uri in self.files.src_uris), None)


def shown(path: Path, root: Path) -> str:
    """Return the page of a file or of a folder, as Markdown."""
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        inside = sorted(part.name for part in path.iterdir() if part.suffix in CODE and part.name[0] != "_")
        return f"# {name}/\n\n" + "".join(f"- [{part}]({part})\n" for part in inside)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {name}\n\n~~~~{CODE.get(path.suffix, 'text')}\n{text.rstrip()}\n~~~~\n"

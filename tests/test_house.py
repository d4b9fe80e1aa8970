"""The rules of the house (DESIGN, section 6), read off the sources."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import seqtool
from seqtool.operations import OPERATIONS
from tests.command import Place, succeeded
from tests.parsed import PACKAGE, nodes, parsed, paths

ROOT = PACKAGE.parent

# The rooms, from the lowest floor to the highest: a module imports from its own floor and those before it here, never
# from a later one. Each room says in its `__init__` what lives there.
FLOORS: list[set[str]] = [
    {"advice", "dataclass", "errors", "option_names", "where", "words"},
    {"system"},
    {"arrays"},
    {"sequences"},
    {"operations"},
    {"files"},
    {"tables"},
    {"grouping"},
    {"sharding"},
    {"sources"},
    {"terminal"},
    {"checking", "codegen", "inspecting", "plotting", "recipes", "training", "unpadding"},
    {"commands"},
    {"api", "keras", "spark", "tf", "torch"},
    {"cli"},
    {"__init__", "__main__"},
]
ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
WITHOUT_SCREENS = set.union(*FLOORS[:10])

# What only some modules may import when they are loaded; anywhere else it happens inside a function.
HOMES = {
    "pyarrow": {
        "grouping.encoder",
        "grouping.columns",
        "grouping.distinct",
        "grouping.gaps",
        "tables.cells.cells",
        "tables.cells.instants",
        "tables.cells.keys",
        "tables.cells.labels",
        "tables.cells.number_state",
        "tables.cells.number_reading",
        "tables.cells.order",
        "tables.cells.spelling",
        "tables.cells.text_order",
        "tables.cells.times",
        "tables.row_filter",
        "grouping.reading",
        "grouping.kernel",
        "grouping.merging",
        "grouping.runs",
        "grouping.sorting",
        "sharding.blocks",
        "sharding.hashing",
        "sharding.spark",
        "sources.aligned",
        "sources.row_steps",
        "sources.rows",
        "sources.text_lines",
        "sources.tokens",
        "sources.ts_files",
        "arrays.list_columns",
        "files.row_batches",
        "unpadding.beside",
        "unpadding.columns",
        "unpadding.forecasts",
        "unpadding.predictions",
        "unpadding.rows",
        "unpadding.writing",
    },  # each of them is itself imported lazily
    "typer": {"cli", "commands", "terminal.report"},
    "pandas": set(),
    "rich": set(),
    **{name: set() for name in ("duckdb", "polars", "jax", "matplotlib", "pyspark", "dask", "distributed")},
    "torch": {"torch"},  # the adapter of each, which nobody else imports
    "keras": {"keras"},
    "tensorflow": {"tf"},
}
NEVER_ELSEWHERE = {
    "duckdb": set(),
    "polars": set(),
    "torch": {"torch", "torch.batch", "torch.collation", "torch.dataset", "torch.sampler", "torch.tensors"},
    "keras": {"keras"},
    "tensorflow": {"tf"},
    "rich": {
        "terminal.progress",
        "checking.show",
        "terminal.tables",
        "terminal.pictures",
        "inspecting.show_plan",
        "inspecting.show_file",
    },
}  # not even inside a function

LONGEST_MODULE = 360  # lines
LONGEST_FUNCTION = 60  # lines below the signature and the docstring, a call being one


# Reading the sources


@cache
def sources() -> dict[str, Path]:
    """The file of each module by its name below seqtool: `ragged`, `encoding.keys`; a package by the package's name."""
    found = {}
    for path in paths():
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


@cache
def modules() -> dict[str, ast.Module]:
    """The tree of every module by its name."""
    return {name: parsed(path) for name, path in sources().items()}


@cache
def imports(tree: ast.AST) -> frozenset[str]:
    """The full names that the statements of a tree import."""
    return _imported(nodes(tree))


@cache
def imports_at_once(tree: ast.AST) -> frozenset[str]:
    """Those that are imported when the module is loaded: not in the bodies of functions, nor for type checkers."""
    return _imported(_loaded(tree))


def _imported(nodes: Iterable[ast.AST]) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def _loaded(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        for_checkers = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not for_checkers and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
            yield from _loaded(node)


def own(names: Iterable[str]) -> set[str]:
    """Those of the names that are modules of seqtool, below seqtool."""
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "seqtool":
            known = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
            found.add(next((module for module in known if module in sources()), "__init__"))
    return found


def floor(module: str) -> int:
    return next(i for i, names in enumerate(FLOORS) if module.split(".")[0] in names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


COMMANDS = [
    name.removeprefix("commands.")
    for name in sources()
    if name.startswith("commands.") and not name.startswith("commands._")
]
every_command = pytest.mark.parametrize("command", COMMANDS)
every_command_and_operation = pytest.mark.parametrize("command", [*COMMANDS, *OPERATIONS])


def test_the_reading_of_sources_sees_what_it_should() -> None:
    source = (
        "import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    from c import d\nclass E:\n    import e\n"
    )
    assert set(imports(ast.parse(source))) == {"a", "b", "c.d", "e"}
    assert set(imports_at_once(ast.parse(source))) == {"a", "e"}
    assert own(["seqtool.sequences.ragged.Ragged", "seqtool.files.npz", "numpy"]) == {
        "sequences.ragged",
        "files.npz",
    }


# Rooms


def test_every_module_has_its_place_in_the_table() -> None:
    placed = {name for names in FLOORS for name in names}
    assert sum(map(len, FLOORS)) == len(placed)
    assert placed == {module.split(".")[0] for module in modules()}


def test_a_room_holds_three_files_at_least_and_says_what_lives_there() -> None:
    for room in ROOMS:
        assert len([path for path in (PACKAGE / room).iterdir() if path.suffix == ".py"]) >= 4, room
        assert len((ast.get_docstring(modules()[room]) or "").splitlines()) >= 3, room


def test_a_module_imports_from_its_own_floor_or_those_before_it() -> None:
    later = {
        (module, other)
        for module, tree in modules().items()
        for other in own(imports(tree))
        if floor(other) > floor(module) and module != "__init__"
    }
    assert later == set()


def test_loading_has_no_circles() -> None:
    needs = {name: own(imports_at_once(tree)) - {name} for name, tree in modules().items()}
    loaded: set[str] = set()
    while len(loaded) < len(needs):
        ready = {name for name, needed in needs.items() if needed <= loaded} - loaded
        assert ready, f"a circle among {sorted(set(needs) - loaded)}"
        loaded |= ready


def test_operations_know_no_screens() -> None:
    for module, tree in modules().items():
        if module.split(".")[0] not in WITHOUT_SCREENS:
            continue
        used = {name.split(".")[0] for name in imports(tree)}
        assert not used & {"typer", "rich"}, module
        called = (node.func for node in nodes(tree) if isinstance(node, ast.Call))
        assert "print" not in {node.id for node in called if isinstance(node, ast.Name)}, module


@every_command
def test_no_command_imports_another(command: str) -> None:
    used = own(imports(modules()[f"commands.{command}"]))
    own_room = {
        other for other in used if other.startswith("commands.") and not other.startswith("commands._")
    }
    assert not own_room | ({"cli"} & used)


# What is loaded when


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_are_imported_inside_functions(library: str) -> None:
    at_once = {
        name
        for name, tree in modules().items()
        if library in {imported.split(".")[0] for imported in imports_at_once(tree)}
    }
    assert {
        name for name in at_once if name not in HOMES[library] and name.split(".")[0] not in HOMES[library]
    } == set()


@pytest.mark.parametrize("library", NEVER_ELSEWHERE)
def test_some_libraries_have_one_home(library: str) -> None:
    users = {
        name
        for name, tree in modules().items()
        if library in {imported.split(".")[0] for imported in imports(tree)}
    }
    assert users == NEVER_ELSEWHERE[library]


def test_every_dataclass_is_one_that_is_quick_to_load() -> None:
    users = {name for name, tree in modules().items() if "dataclasses.dataclass" in imports(tree)}
    assert users == {"dataclass"}, "import it from seqtool.dataclass"


def loaded_with(*names: str) -> set[str]:
    """Everything that loading these modules of seqtool loads: its own modules, and the libraries they need."""
    found: set[str] = set()
    waiting = {*names, "__init__"}
    while waiting:
        module = waiting.pop()
        found.add(module)
        needed = set(imports_at_once(modules()[module]))
        found |= {name.split(".")[0] for name in needed} - {"seqtool"}
        waiting |= own(needed) - found
    return found


def test_nothing_imports_the_adapters_of_frameworks() -> None:
    adapters = {"torch", "keras", "tf"}
    users = {
        (name, other)
        for name, tree in modules().items()
        for other in own(imports(tree))
        if other.split(".")[0] in adapters - {name.split(".")[0]}
    }
    assert users == set()


def test_the_command_line_loads_without_arrays_and_tables() -> None:
    commands = {name for name in modules() if re.match(r"commands\.[a-z]", name)}
    loaded = loaded_with("cli", "__main__", "commands", *commands)
    assert not loaded & {"numpy", "pandas", "pyarrow", "isal", *HOMES} - {"typer"}


def test_pad_on_an_array_loads_no_tables() -> None:
    loaded = loaded_with(
        "sources.read",
        "sources.numpy_files",
        "commands._deliver",
        "commands._destination",
        "files.inputs",
        "files.outputs",
        "terminal.report",
        "operations.strip",
        "operations.pad",
    )
    assert not loaded & {"pandas", "pyarrow", "rich"}


# Commands


@every_command
def test_a_command_has_its_function_help_example_and_test_file(command: str) -> None:
    found = [node for node in modules()[f"commands.{command}"].body if isinstance(node, ast.FunctionDef)]
    (function,) = [node for node in found if node.name == command]
    text = ast.get_docstring(function) or ""
    assert re.search(rf"^Example: seqtool {command} \S", text, re.MULTILINE)
    assert (ROOT / "tests" / "commands" / f"test_{command}.py").is_file()
    assert {node.name for node in found if not node.name.startswith("_")} == {command}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_its_class_help_example_and_test_file(name: str) -> None:
    body = modules()[f"operations.{name}"].body
    (operation,) = [node for node in body if isinstance(node, ast.ClassDef) and node.name == name.title()]
    assert re.search(rf"^Example: seqtool {name} \S", ast.get_docstring(operation) or "", re.MULTILINE)
    assert (ROOT / "tests" / "operations" / f"test_{name}.py").is_file()
    assert {library for library in loaded_with(f"operations.{name}") if library in {"numpy", *HOMES}} == set()


@every_command_and_operation
def test_the_help_of_a_command_shows_its_example_and_a_text_for_every_option(
    command: str, place: Place
) -> None:
    text = succeeded(place.run(command, "--help")).out.decode()
    assert f"Example: seqtool {command} " in text
    options = text.splitlines()
    for line, after in zip(options, [*options[1:], ""], strict=True):
        if re.match(r"  -", line):
            # The text stands beside the option, or below a long one.
            assert re.search(r"\S {2,}\S", line.strip()) or re.match(r" {10,}\S", after), line


@pytest.mark.parametrize("call", [["--version"], []])
def test_the_package_runs_as_a_module(call: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seqtool", *call], capture_output=True, text=True, check=False
    )
    if call:
        assert (done.returncode, done.stdout) == (0, f"seqtool {project()['version']}\n")
    assert done.stderr == "" or not call


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).parent / "seqtool"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"seqtool {project()['version']}\n")


# The project file


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    begin = lines.index("dependencies = [") + 1
    listed = lines[begin : lines.index("]", begin)]
    dependencies = [i for i, line in enumerate(listed) if line.strip().startswith('"')]
    assert len(dependencies) == len(project()["dependencies"])  # type: ignore[arg-type]
    assert [listed[i] for i in dependencies if i == 0 or not listed[i - 1].strip().startswith("# ")] == []


def test_every_group_of_extra_dependencies_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in project()["optional-dependencies"]:  # type: ignore[attr-defined]
        assert re.search(rf"^# .*\n{name} = \[", text, re.MULTILINE), name


def test_every_library_that_is_imported_is_a_dependency() -> None:
    def libraries(lines: list[str]) -> set[str]:
        return {re.split(r"[<>=\[; ]", line)[0].replace("-", "_") for line in lines}

    declared = libraries(project()["dependencies"])  # type: ignore[arg-type]
    extras = project()["optional-dependencies"]
    with_extras = ("plot", "remote", "excel", "frameworks", "spark", "dask")
    optional = libraries([line for extra in with_extras for line in extras[extra]])  # type: ignore[index]
    optional |= {"distributed"}  # which dask[distributed] brings
    used = {name.split(".")[0] for tree in modules().values() for name in imports(tree)}
    foreign = used - set(sys.stdlib_module_names) - {"seqtool"}
    assert declared <= foreign <= declared | optional


# Size and words


def test_no_module_is_too_long() -> None:
    lines = {module: path.read_text(encoding="utf-8").count("\n") for module, path in sources().items()}
    assert {module: count for module, count in lines.items() if count > LONGEST_MODULE} == {}


def test_no_function_is_too_long() -> None:
    def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if lines <= LONGEST_FUNCTION:
            return lines
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
        # Arguments that are only handed on, one a line, are one thought.
        return lines - sum(max(0, len({word.lineno for word in call.keywords}) - 1) for call in calls)

    lengths = {
        (module, node.name): length(node) for module, tree in modules().items() for node in functions(tree)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_everything_public_says_what_it_is() -> None:
    def silent(tree: ast.Module | ast.ClassDef, within: str) -> Iterator[str]:
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{within}{node.name}"
                overload = "overload" in [ast.unparse(decorator) for decorator in node.decorator_list]
                if not node.name.startswith("_") and not overload and not ast.get_docstring(node):
                    yield name
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield from silent(node, f"{name}.")

    assert [name for module, tree in modules().items() for name in silent(tree, f"{module}.")] == []


def test_every_module_says_what_it_is() -> None:
    assert [m for m, tree in modules().items() if tree.body and not ast.get_docstring(tree)] == []


# The Python API


def test_what_is_public_is_what_the_lazy_table_holds() -> None:
    assert sorted(seqtool.__all__) == sorted(seqtool._HOMES)
    assert dir(seqtool) == sorted(seqtool.__all__)


def test_type_checkers_see_the_same_names() -> None:
    (block,) = [node for node in modules()["__init__"].body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    seen = {name.rpartition(".")[2]: name.split(".", 1)[1].rpartition(".")[0] for name in imports(block)}
    operations = {name: f"operations.{name}" for name in OPERATIONS}
    assert {**seen, **operations} == seqtool._HOMES


@pytest.mark.parametrize("name", seqtool.__all__)
def test_every_public_name_is_found_and_described(name: str) -> None:
    found = getattr(seqtool, name)
    assert found is getattr(importlib.import_module(f"seqtool.{seqtool._HOMES[name]}"), name)
    assert found.__doc__


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = seqtool.nope


# The tests


# Modules without a test file of their own: they are run by the tests of those who use them.
TESTED_BY_OTHERS = {
    "commands": {
        "arrays",
        "call",
        "columns",
        "command",
        "described",
        "grouped",
        "groups",
        "peers",
        "row_output",
        "source",
        "table_options",
        "transform",
        "values",
    },
    "": {"__main__", "advice", "cli", "errors", "option_names", "words"},
    "system": {"prefetch", "signals"},
    # What tasks and engines do is tested through whole calls.
    "sharding": {
        *(
            "encoding",
            "engine",
            "following",
            "job",
            "local",
            "observing",
            "results",
            "spark_session",
            "target",
        ),
        "writing",
    },
    "arrays": {"exact", "file_array", "gather", "list_columns", "many_texts", "spool"},
    "sequences": {"categories", "features", "keys", "labels", "padding_values", "stream", "validation"},
    "operations": {
        "cast",
        "centers",
        "vocabularies",
        "clashes",
        "filling",
        "merging",
        "moments",
        "run",
        "scaling",
    },
    "files": {
        "archives",
        "contents",
        "folder",
        "json_rows",
        "row_batches",
        "row_files",
        "row_layout",
        "safetensors",
        "stored",
        "stored_rows",
        "traces",
        "deflate",
        "fortran",
        "inflate",
        "kinds",
        "line_rewriting",
        "npy",
        "packing",
        "path_parts",
        "refusals",
        "remote",
        "schema",
        "temporary",
        "workbooks",
    },
    "tables": {
        "arrow_batches",
        "arrow_files",
        "candidates",
        "cell_errors",
        "csv_dialect",
        "csv_errors",
        "file_columns",
        "in_memory",
        "json_arrays",
        "json_lines",
        "named_columns",
        "number_marks",
        "parquet_files",
        "row_filter",
        "table",
        "workbooks",
    },
    "grouping": {
        "advising",
        "cautions",
        "suspects",
        "column_facts",
        "columns",
        "cutting",
        "encoder_columns",
        "assembling",
        "encoder_plan",
        "folding",
        "spec_checks",
        "step_times",
        "stepping",
        "encoder_state",
        "elsewhere",
        "gaps",
        "joining",
        "merged_rows",
        "merging",
        "options",
        "pivoting",
        "reading",
        "row_columns",
        "runs",
        "static_columns",
        "unlabelled",
        "workspace",
    },
    "sources": {
        "json_records",
        "row_steps",
        "array_files",
        "chosen_arrays",
        "companions",
        "labels",
        "leftovers",
        "masks",
        "options",
    },
    "inspecting": {"measure", "show_file"},
    "checking": {"against", "findings", "invariants", "layouts", "provenance", "show"},
    "codegen": {"filling", "for_jax", "for_keras", "for_numpy", "for_tf", "for_torch", "targets"},
    "plotting": {"boxes", "drawn_labels", "label_panels", "marks", "panels"},
    "torch": {"batch", "collation", "dataset", "sampler", "tensors"},
    "training": {"in_place", "numbers", "opened", "stored"},
    "recipes": {"others", "columns", "names", "reading", "repeat", "show", "small_columns", "transformer"},
    "unpadding": {"beside", "columns", "names", "predictions", "sorting", "stretch", "undoing"},
}


def test_every_module_has_its_tests() -> None:
    missing = []
    for path in PACKAGE.rglob("*.py"):
        folder, name = path.parent.relative_to(PACKAGE), re.sub("^_(?!_)", "", path.stem)
        room = folder.parts[0] if folder.parts else ""
        places = [
            folder / f"test_{name}.py",
            folder.with_name(f"test_{folder.name}.py") if folder.parts else None,
        ]
        places.append(Path("frameworks", f"test_{name}.py"))
        if path.stem == "__init__" or name in TESTED_BY_OTHERS.get(room, ()):
            continue
        if not any(place and (ROOT / "tests" / place).is_file() for place in places):
            missing.append(path.relative_to(PACKAGE).as_posix())
    assert missing == []

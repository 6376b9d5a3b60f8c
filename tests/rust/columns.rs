//! Which columns there are: their names, their types, and how they are asked for.

use xpframe::columns::{
    Chosen, Column, ColumnSource, Columns, Member, MemberSource, PathId, PathTree, Selection, System, Type,
    ValueKind, escape, glob_matches, short_name,
};
use xpframe::error::{Error, ErrorKind};

use super::lab::{Lab, RUN, object, to};

/// A type in words.
fn kind(kind: &Type) -> String {
    match kind {
        Type::Null => "null".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int64 => "int64".to_owned(),
        Type::UInt64 => "uint64".to_owned(),
        Type::Decimal => "decimal".to_owned(),
        Type::Digits => "digits".to_owned(),
        Type::Float64 => "float64".to_owned(),
        Type::Utf8 => "utf8".to_owned(),
        Type::Enum => "enum".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::List(item) => format!("list<{}>", self::kind(item)),
        Type::Struct(members) => {
            let member = |member: &Member| format!("{}: {}", member.name, self::kind(&member.kind));
            format!("struct<{}>", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The columns of the usual run of a workspace.
struct Listed {
    tree: PathTree,
    columns: Columns,
}

impl Listed {
    fn of(lab: &Lab) -> Self {
        Self::within(lab, 10_000).unwrap()
    }

    fn within(lab: &Lab, limit: usize) -> Result<Self, Error> {
        let loaded = lab.good();
        let (rows, objects) = (loaded.rows(), loaded.objects());
        let mut tree = PathTree::new(limit);
        tree.observe_tags(&rows.store, rows.rows.iter().filter_map(|row| row.tags))?;
        tree.observe_configs(&objects.graph, &objects.roots.iter().copied().flatten().collect::<Vec<_>>())?;
        let columns = Columns::new(&tree, false, false);
        Ok(Self { tree, columns })
    }

    /// The names and types of the columns of tags and parameters.
    fn values(&self) -> Vec<String> {
        let said = |column: &Column| format!("{}: {}", short_name(&column.name), kind(&column.kind));
        let is_value = |column: &&Column| matches!(column.source, ColumnSource::Values(..));
        self.columns.all.iter().filter(is_value).map(said).collect()
    }

    fn defaults(&self) -> Vec<&str> {
        self.columns
            .all
            .iter()
            .filter(|column| column.by_default)
            .map(|column| column.name.as_str())
            .collect()
    }

    fn choose(&self, patterns: &[&str]) -> Result<Vec<String>, Error> {
        let chosen = patterns.iter().copied().map(Chosen::new).collect();
        let mut names = (&self.columns, &self.tree);
        let columns = Selection::Chosen(chosen).choose(&mut names, &self.tree, 2000)?;
        Ok(columns.into_iter().map(|column| column.name).collect())
    }

    /// The one column that a pattern means.
    fn one(&self, pattern: &str) -> String {
        let found = self.choose(&[pattern]).unwrap();
        assert_eq!(found.len(), 1, "{pattern} means {found:?}");
        found[0].clone()
    }

    fn wrong(&self, pattern: &str) -> String {
        let error = self.choose(&[pattern]).unwrap_err();
        assert_eq!((error.kind(), error.location().field.as_deref()), (ErrorKind::Column, Some(pattern)));
        error.to_string()
    }

    fn path(&self, keys: &[&str]) -> PathId {
        self.tree.find(keys).unwrap()
    }
}

/// A workspace with one job for each value that field `x` has.
fn with_values(values: &[&str]) -> Lab {
    let names: Vec<String> = (0..values.len()).map(|at| format!("j{at}")).collect();
    let mut lines = vec![
        object(900, "Small", "s", "\"size\":1"),
        object(901, "Large", "l", "\"size\":2,\"deep\":{\"a.b\":true}"),
        object(902, "Bare", "b", ""),
    ];
    lines.extend(
        names
            .iter()
            .zip(values)
            .zip(0..)
            .map(|((name, value), id)| object(id, "Train", name, &format!("\"x\":{value}"))),
    );
    Lab::with(&names.iter().map(String::as_str).collect::<Vec<_>>(), &lines)
}

/// A dot, a backslash, and an at before a letter are escaped in a key, and nothing else is.
#[test]
fn keys_are_escaped() {
    for (key, name) in [
        ("lr", "lr"),
        ("", ""),
        ("a.b", r"a\.b"),
        ("x@int", r"x\@int"),
        (r"C:\dir", r"C:\\dir"),
        (r".@\", r"\.@\\"),
        ("RR@10", "RR@10"),
        ("a b/é*", "a b/é*"),
    ] {
        assert_eq!(escape(key), name);
    }
}

/// A name is short without its first word, unless it is a system column's.
#[test]
fn short_names_lack_the_group() {
    for (name, short) in [
        ("tags.lr", "lr"),
        ("config.model.size", "model.size"),
        ("config.tags.lr", "tags.lr"),
        ("state", "state"),
        ("config@type", "config@type"),
        ("tagslr", "tagslr"),
    ] {
        assert_eq!(short_name(name), short);
    }
}

/// System columns, tags, parameters in declaration order with what they hold, then the other system columns.
#[test]
fn columns_have_a_fixed_order() {
    let model = object(5, "Model", "m", "\"size\":1,\"opt\":{\"lr\":0.1}");
    let fields = format!("\"seed\":1,\"model\":{},\"epochs\":3", to(5));
    let lab =
        Lab::with(&[r#"j lab.train {"lr": 0.1, "a.b": 1}"#], &[model, object(1, "Train", "j", &fields)]);
    let listed = Listed::of(&lab);
    let values = [
        r"tags.lr",
        r"tags.a\.b",
        "config.seed",
        "config.model.size",
        "config.model.opt.lr",
        "config.epochs",
    ];
    let before = ["job_id", "task", "state"];
    let after = ["failure", "submitted_at", "started_at", "ended_at", "duration_s", "path"];
    assert_eq!(listed.defaults(), [&before[..], &values, &after].concat());
    let all: Vec<&str> = listed.columns.all.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(all.len(), 17 + 6 + 4);
    assert_eq!(all[..3], ["workspace", "experiment", "run"]);
    let facts = ["config@type", "config@id", "config.model@type", "config.model@id"];
    assert!(facts.iter().all(|fact| all.contains(fact)), "{all:?}");
}

/// `experiment` and `run` are shown for several runs, `workspace` for several workspaces; all can be asked for.
#[test]
fn several_runs_are_told_apart() {
    let tree = PathTree::new(10);
    let leading = |runs, workspaces| {
        let columns = Columns::new(&tree, runs, workspaces).by_default(&tree, 100).unwrap();
        columns.into_iter().map(|column| column.name).take(3).collect::<Vec<_>>()
    };
    assert_eq!(leading(false, false), ["job_id", "task", "state"]);
    assert_eq!(leading(true, false), ["experiment", "run", "job_id"]);
    assert_eq!(leading(true, true), ["workspace", "experiment", "run"]);
}

/// Each system column has its type, and those that look into job directories say so.
#[test]
fn system_columns_have_types() {
    let all: Vec<System> = System::LEADING.into_iter().chain(System::TRAILING).collect();
    assert_eq!(all.len(), 16);
    assert_eq!(System::Reused.kind(), Type::Bool);
    let of = |wanted: &str| {
        let found = all.iter().filter(|system| kind(&system.kind()) == wanted);
        found.map(|system| system.name()).collect::<Vec<_>>()
    };
    assert_eq!(of("timestamp"), ["submitted_at", "started_at", "ended_at"]);
    assert_eq!((of("float64"), of("list<utf8>")), (vec!["duration_s"], vec!["dependencies"]));
    assert_eq!((of("utf8").len(), of("int64")), (8, vec!["exit_code", "retries"]));
    let slow: Vec<&str> = all.iter().filter(|it| it.needs_times()).map(|it| it.name()).collect();
    assert_eq!(slow, ["exit_code", "retries", "reused", "started_at", "ended_at", "duration_s"]);
}

/// Types are exact: they meet only where nothing is lost, else the column is split.
#[test]
fn types_meet_only_without_loss() {
    const PATH: &str = r#"{"type":"path","value":"/p"}"#;
    const MODE: &str = r#"{"type":"enum","module":"lab","enum":"Mode","value":"FAST"}"#;
    const SET: &str = r#"{"type":"set","items":[1]}"#;
    const DIGITS_38: &str = "99999999999999999999999999999999999999";
    const DIGITS_39: &str = "100000000000000000000000000000000000000";
    let mut seen = 0;
    for (values, columns) in [
        (&["true", "null"][..], &["x: bool"][..]),
        (&["1", "null", "-2"], &["x: int64"]),
        (&["1.0", "NaN"], &["x: float64"]),
        (&["null", "null"], &["x: null"]),
        (&["1", "2.5"], &["x: float64"]),
        (&["9007199254740992", "0.5"], &["x: float64"]),
        (&["9007199254740993", "0.5"], &["x@int: int64", "x@float: float64"]),
        (&["9007199254740994", "0.5"], &["x: float64"]),
        (&["9223372036854775807", "0.5"], &["x@int: int64", "x@float: float64"]),
        (&["-9223372036854775808", "0.5"], &["x: float64"]),
        (&["10000000000000000000000", "0.5"], &["x: float64"]),
        (&["100000000000000000000001", "0.5"], &["x@int: decimal", "x@float: float64"]),
        (&["9223372036854775808", "1"], &["x: uint64"]),
        (&["18446744073709551615", "0"], &["x: uint64"]),
        (&["9223372036854775808", "-1"], &["x: decimal"]),
        (&["18446744073709551616"], &["x: decimal"]),
        (&["-9223372036854775809"], &["x: decimal"]),
        (&[DIGITS_38], &["x: decimal"]),
        (&[DIGITS_39, "1"], &["x: digits"]),
        (&["true", "1"], &["x@bool: bool", "x@int: int64"]),
        (&["1", "\"a\""], &["x@int: int64", "x@str: utf8"]),
        (&["\"a\"", "1.5", "1", "false"], &["x@bool: bool", "x@float: float64", "x@str: utf8"]),
        (&["\"a\"", PATH], &["x: utf8"]),
        (&[MODE], &["x: enum"]),
        (&[MODE, "\"FAST\""], &["x@str: utf8", "x@enum: enum"]),
        (&["[1]", "[2.5]", "null"], &["x: list<float64>"]),
        (&["[]"], &["x: list<null>"]),
        (&["[null]", "[1]"], &["x: list<int64>"]),
        (&["[[1]]", "[[],[2]]"], &["x: list<list<int64>>"]),
        (&["[1,\"a\"]"], &["x: list<struct<int: int64, str: utf8>>"]),
        (&["[1,[2]]"], &["x: list<struct<int: int64, list: list<int64>>>"]),
        (&[SET], &["x: list<int64>"]),
        (&[SET, "[\"a\"]"], &["x@list: list<utf8>", "x@set: list<int64>"]),
        (&["[1]", "1"], &["x@int: int64", "x@list: list<int64>"]),
        (&["{\"a\":1}", "{\"b\":{\"c\":\"d\"}}"], &["x.a: int64", "x.b.c: utf8"]),
        (&["{\"a\":1}", "2"], &["x: int64", "x.a: int64"]),
        (&["{\"a.b\":1,\"\":2}"], &[r"x.a\.b: int64", "x.: int64"]),
        (&["[{\"a\":1},{\"b\":[]}]"], &["x: list<struct<a: int64, b: list<null>>>"]),
        (&["[{\"a\":1},2]"], &["x: list<struct<int: int64, config: struct<a: int64>>>"]),
        (&["{}"], &[]),
    ] {
        assert_eq!(Listed::of(&with_values(values)).values(), columns, "{values:?}");
        seen += 1;
    }
    assert_eq!(seen, 40);
}

/// Configs become columns; in lists they become structs, which tell their class where there are several or nothing else.
#[test]
fn configs_are_flattened() {
    let (small, large, bare) = (to(900), to(901), to(902));
    let values = |values: &[&str]| Listed::of(&with_values(values)).values();
    assert_eq!(values(&[&small, &large]), ["x.size: int64", r"x.deep.a\.b: bool"]);
    let list = |items: &[&str]| format!("[{}]", items.join(","));
    assert_eq!(values(&[&list(&[&small])]), ["x: list<struct<size: int64>>"]);
    let both = r"x: list<struct<@type: utf8, size: int64, deep: struct<a.b: bool>>>";
    assert_eq!(values(&[&list(&[&small]), &list(&[&large])]), [both]);
    assert_eq!(values(&[&list(&[&bare])]), ["x: list<struct<@type: utf8>>"]);
    assert_eq!(
        values(&[&list(&["1", &small])]),
        ["x: list<struct<int: int64, config: struct<size: int64>>>"]
    );
}

/// `@type` is shown where several classes stand, and `@id` when asked for; neither is lost when it is not shown.
#[test]
fn facts_are_shown_where_they_tell_something() {
    let (small, large) = (to(900), to(901));
    let one = Listed::of(&with_values(&[&small, &small]));
    let shown = |listed: &Listed| {
        listed.defaults().into_iter().filter(|name| name.contains('@')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(shown(&one), [""; 0]);
    let two = Listed::of(&with_values(&[&small, &large]));
    assert_eq!(shown(&two), ["config.x@type"]);
    for listed in [&one, &two] {
        assert_eq!(
            listed.choose(&["x@id", "config.x@type", "config@type"]).unwrap(),
            ["config.x@id", "config.x@type", "config@type"]
        );
    }
    let group = |name: &str| two.columns.all.iter().find(|column| column.name == name).unwrap().group();
    assert_eq!(["config.x@id", "config.x.size", "state"].map(group), ["fact", "parameter", "system"]);
}

/// A path knows its keys, its children and the Python types that were seen.
#[test]
fn paths_know_what_was_seen() {
    const PATH: &str = r#"{"type":"path","value":"/p"}"#;
    const MODE: &str = r#"{"type":"enum","module":"lab","enum":"Outer.Mode","value":"FAST"}"#;
    let listed = Listed::of(&with_values(&["1", "2.5", "\"a\"", PATH, MODE, "[1]", &to(901)]));
    let tree = &listed.tree;
    let x = listed.path(&["config", "x"]);
    let types = [ValueKind::Number, ValueKind::Str, ValueKind::Enum, ValueKind::List]
        .map(|part| tree.get(x).python_types(part));
    assert_eq!(types, ["int | float", "str | pathlib.Path", "Outer.Mode", "list"]);
    let deep = listed.path(&["config", "x", "deep", "a.b"]);
    assert_eq!(tree.path(deep), ["config", "x", "deep", "a.b"]);
    assert_eq!((tree.root(deep), tree.get(deep).key()), (PathTree::CONFIG, "a.b"));
    assert_eq!(tree.find(&["config", "y"]), None);
    assert_eq!(tree.find(&["other"]), None);
    let children: Vec<&str> = tree.get(x).children().keys().map(String::as_str).collect();
    assert_eq!(children, ["size", "deep"]);
    assert!(tree.has(x, ValueKind::Int) && tree.has(x, ValueKind::Enum) && !tree.has(x, ValueKind::Bool));
}

/// A workspace whose columns have names in common.
fn ambiguous() -> Listed {
    let lines = [
        object(5, "Model", "m", "\"size\":1,\"lr\":1,\"name\":\"a\""),
        object(6, "Data", "d", "\"size\":2"),
        object(1, "Train", "j", &format!("\"model\":{},\"data\":{},\"lr\":0.1,\"mixed\":1", to(5), to(6))),
        object(2, "Train", "k", "\"mixed\":\"a\",\"state\":5"),
    ];
    Listed::of(&Lab::with(&[r#"j lab.train {"lr": 0.1, "seed": 3}"#, "k"], &lines))
}

/// A column is asked for by its name, or by what is left of it where that means one column; tags come before parameters.
#[test]
fn columns_are_found_by_short_names() {
    let listed = ambiguous();
    for (asked, name) in [
        ("tags.lr", "tags.lr"),
        ("lr", "tags.lr"),
        ("config.lr", "config.lr"),
        ("seed", "tags.seed"),
        ("model.size", "config.model.size"),
        ("model.lr", "config.model.lr"),
        ("name", "config.model.name"),
        ("state", "state"),
        ("config.state", "config.state"),
        ("model@type", "config.model@type"),
        ("model@id", "config.model@id"),
        ("mixed@int", "config.mixed@int"),
        ("run", "run"),
    ] {
        assert_eq!(listed.one(asked), name);
    }
    assert_eq!(listed.choose(&["mixed"]).unwrap(), ["config.mixed@int", "config.mixed@str"]);
}

/// Columns come in the order asked, each once; a glob takes those in the order of the table.
#[test]
fn columns_come_in_the_order_asked() {
    let listed = ambiguous();
    assert_eq!(listed.choose(&["state", "lr", "tags.lr", "job_id"]).unwrap(), ["state", "tags.lr", "job_id"]);
    assert_eq!(
        listed.choose(&["model.size", "config.model.*"]).unwrap(),
        ["config.model.size", "config.model.lr", "config.model.name"]
    );
    assert_eq!(listed.choose(&["*.size"]).unwrap(), ["config.model.size", "config.data.size"]);
    assert_eq!(listed.choose(&["*.lr"]).unwrap(), ["tags.lr", "config.model.lr", "config.lr"]);
    assert_eq!(listed.choose(&["tags.*"]).unwrap(), ["tags.lr", "tags.seed"]);
    assert_eq!(listed.choose(&["*_at"]).unwrap(), ["submitted_at", "started_at", "ended_at"]);
    assert_eq!(listed.choose(&["*@id"]).unwrap(), ["config@id", "config.model@id", "config.data@id"]);
    assert_eq!(
        listed.choose(&["[er]*n*"]).unwrap(),
        ["experiment", "run", "ended_at"],
        "hidden system columns too"
    );
    assert_eq!(listed.choose(&[]).unwrap(), [""; 0]);
}

/// A renamed column is called as asked; one name for two columns is refused.
#[test]
fn columns_are_renamed() {
    let listed = ambiguous();
    let choose = |asked: &[(&str, &str)]| {
        let chosen = |&(pattern, rename): &(&str, &str)| {
            Chosen::renamed(rename.to_owned(), pattern.to_owned(), Vec::new())
        };
        let mut names = (&listed.columns, &listed.tree);
        Selection::Chosen(asked.iter().map(chosen).collect()).choose(&mut names, &listed.tree, 100)
    };
    let found = choose(&[("lr", "rate"), ("model.size", "size"), ("lr", "again")]).unwrap();
    let names: Vec<(&str, &str)> =
        found.iter().map(|column| (column.name.as_str(), column.shown())).collect();
    assert_eq!(names, [("tags.lr", "rate"), ("config.model.size", "size"), ("tags.lr", "again")]);
    let told = |asked: &[(&str, &str)]| choose(asked).unwrap_err().to_string();
    let advice = "(give each column its own new name)";
    assert_eq!(
        told(&[("lr", "x"), ("seed", "x")]),
        format!("field tags.seed: two columns would be called 'x' {advice}")
    );
    assert_eq!(
        told(&[("mixed", "m")]),
        format!("field config.mixed@str: two columns would be called 'm' {advice}")
    );
}

/// An unknown column is refused with the nearest names; one that holds others with how to ask for those.
#[test]
fn unknown_columns_are_told() {
    let listed = ambiguous();
    assert_eq!(listed.wrong("sead"), "field sead: no column 'sead' (did you mean seed?)");
    assert_eq!(
        listed.wrong("model"),
        "field model: no column 'model' (it holds other values: ask for model.* or model@type)"
    );
    assert_eq!(
        listed.wrong("config.model"),
        "field config.model: no column 'config.model' (it holds other values: ask for config.model.* or config.model@type)"
    );
    assert_eq!(
        listed.wrong("completely_else"),
        format!(
            "field completely_else: no column 'completely_else' (there are {} columns; see xp_table(…).column_names)",
            listed.columns.all.iter().filter(|column| column.by_default).count()
        )
    );
    assert_eq!(
        listed.wrong("modle.*"),
        "field modle.*: no column 'modle.*' (there are 19 columns; see xp_table(…).column_names)"
    );
}

/// A name that could be several columns is refused with the candidates, at most five of them.
#[test]
fn ambiguous_columns_are_told() {
    assert_eq!(
        ambiguous().wrong("size"),
        "field size: 'size' could be any of 2 columns (write one of config.model.size, config.data.size)"
    );
    let many: Vec<String> = (0..6).map(|at| format!("\"p{at}\":{{\"w\":1}}")).collect();
    let listed = Listed::of(&Lab::with(&["j"], &[object(1, "Train", "j", &many.join(","))]));
    let five: Vec<String> = (0..5).map(|at| format!("config.p{at}.w")).collect();
    assert_eq!(
        listed.wrong("w"),
        format!("field w: 'w' could be any of 6 columns (write one of {}, …)", five.join(", "))
    );
}

/// Too many columns are refused with the prefix under which most of them are, before anything is built.
#[test]
fn too_many_columns_name_their_prefix() {
    let inside: Vec<String> = (0..500).map(|at| format!("\"k{at}\":{at}")).collect();
    let fields = format!("\"lr\":1,\"model\":{{\"table\":{{{}}}}}", inside.join(","));
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", &fields)]);
    let listed = Listed::of(&lab);
    let wrong = |selection: &Selection, limit| {
        let error = selection.choose(&mut (&listed.columns, &listed.tree), &listed.tree, limit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyColumns);
        error.to_string()
    };
    let advice = "(choose some with columns=[…], or raise max_columns)";
    assert_eq!(
        wrong(&Selection::Default, 509),
        format!(
            "field config.model.table: 510 columns are more than max_columns=509, most of them under config.model.table {advice}"
        )
    );
    assert_eq!(
        Selection::Default.choose(&mut (&listed.columns, &listed.tree), &listed.tree, 510).unwrap().len(),
        510
    );
    let table = Selection::Chosen(vec![Chosen::new("model.*")]);
    assert!(wrong(&table, 499).contains("500 columns are more than max_columns=499"));
    let few = Selection::Chosen(vec![Chosen::new("lr")]);
    assert_eq!(few.choose(&mut (&listed.columns, &listed.tree), &listed.tree, 1).unwrap().len(), 1);
    let Err(early) = Listed::within(&lab, 100) else { panic!("places are limited too") };
    assert_eq!(
        early.to_string(),
        format!(
            "field config.model.table: more columns than are allowed, most of them under config.model.table {advice}"
        )
    );
}

/// Structs in lists count with all that they hold.
#[test]
fn structs_count_as_the_columns_they_hold() {
    let inside: Vec<String> = (0..50).map(|at| format!("\"k{at}\":{at}")).collect();
    let listed = Listed::of(&with_values(&[&format!("[{{{}}}]", inside.join(","))]));
    let error =
        Selection::Default.choose(&mut (&listed.columns, &listed.tree), &listed.tree, 20).unwrap_err();
    assert!(error.reason().starts_with("59 columns are more than max_columns=20"), "{error}");
}

/// Lists in lists have columns down to a depth that every reader of Arrow bears; what is deeper is left out and told.
#[test]
fn lists_nested_too_deep_are_told() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let listed = Listed::of(&with_values(&[&nested(62)]));
    assert_eq!(listed.tree.too_deep(), None);
    assert_eq!(listed.values(), [format!("x: {}int64{}", "list<".repeat(62), ">".repeat(62))]);
    let listed = Listed::of(&with_values(&[&nested(63), "[[2]]"]));
    assert_eq!(listed.tree.too_deep(), Some("config.x".to_owned()));
    assert_eq!(listed.values().len(), 1);
}

/// Configs that hold the config before them have columns down to a depth; what is deeper is left out and told.
#[test]
fn configs_nested_too_deep_are_told() {
    let chain = |depth: i64| {
        let mut lines = vec![object(0, "Step", "s0", "\"n\":1")];
        lines.extend(
            (1..depth).map(|id| object(id, "Step", &format!("s{id}"), &format!("\"b\":{}", to(id - 1)))),
        );
        lines.push(object(depth, "Train", "j", &format!("\"b\":{}", to(depth - 1))));
        Listed::of(&Lab::with(&["j"], &lines))
    };
    let listed = chain(8191);
    assert_eq!(listed.tree.too_deep(), None);
    assert_eq!(listed.values(), [format!("{}n: int64", "b.".repeat(8191))]);
    let listed = chain(10_000);
    let name = listed.tree.too_deep().unwrap();
    assert_eq!(name.matches(".b").count(), 8192);
    assert!(listed.tree.len() < 8200);
}

/// Keys of any length are refused before their names fill the memory.
#[test]
fn long_keys_are_refused() {
    let inside: Vec<String> = (0..200).map(|at| format!("\"k{at}\":1")).collect();
    let lab = with_values(&[&format!("{{\"{}\":{{{}}}}}", "k".repeat(1 << 20), inside.join(","))]);
    let error = Listed::within(&lab, 10_000).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::TooManyColumns);
    assert_eq!(error.reason(), "the names of the columns are longer than 128 MiB together");
    assert!(error.to_string().len() < 2_000);
}

/// Members of a struct name the paths of their values.
#[test]
fn struct_members_know_their_paths() {
    let listed = Listed::of(&with_values(&[&format!("[{},{}]", to(900), to(901))]));
    let x = listed.path(&["config", "x"]);
    let [(ValueKind::List, Type::List(item))] = &listed.tree.value_kinds(x)[..] else { panic!() };
    let Type::Struct(members) = &**item else { panic!() };
    let sources: Vec<MemberSource> = members.iter().map(|member| member.source).collect();
    assert_eq!(sources, [MemberSource::Class, MemberSource::Values(ValueKind::Int), MemberSource::Fields]);
    let inside = listed.tree.get(x).elements(ValueKind::List).unwrap();
    assert_eq!(members[0].path, inside);
    assert_eq!(listed.tree.get(members[1].path).parent(), Some(inside));
}

/// Patterns are those of Python's `fnmatch`.
#[test]
fn globs_match_as_fnmatch_does() {
    let mut seen = 0;
    for (pattern, yes, no) in [
        ("", &[""][..], &["a"][..]),
        ("*", &["", "a", "a.b"], &[]),
        ("?", &["a", "é", "."], &["", "ab"]),
        ("a*", &["a", "abc", "a.b"], &["ba", "A"]),
        ("*a", &["a", "bca"], &["ab"]),
        ("*a*b*", &["ab", "xaxbx", "aabb"], &["ba", "a"]),
        ("a**b", &["ab", "axb"], &["a"]),
        ("*.lr", &["tags.lr", "a.b.lr"], &["lr", "tags.lr2"]),
        ("config.*.size", &["config.a.size", "config.a.b.size"], &["config.size"]),
        ("[abc]x", &["ax", "cx"], &["dx", "abcx", "x"]),
        ("[a-c]", &["a", "b", "c"], &["d", "-", "B"]),
        ("[!a-c]", &["d", "-", "!"], &["a", "c", ""]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[-a]", &["a", "-"], &["b"]),
        ("[]a]", &["]", "a"], &["b", "[]a]"]),
        ("[c-a]", &[], &["a", "b", "c", "-"]),
        ("[a", &["[a"], &["a"]),
        ("[", &["["], &["", "a"]),
        ("[]", &["[]"], &["", "]"]),
        ("a[", &["a["], &["a"]),
        ("[*]", &["*"], &["a"]),
        ("[?]x", &["?x"], &["ax"]),
        ("x[0-9][0-9]", &["x00", "x99"], &["x1", "x1a"]),
        ("[a-cx-z]", &["b", "y"], &["d", "-"]),
        (r"a\*", &[r"a\", r"a\b"], &["a*"]),
        ("é*漢", &["é漢", "éa漢"], &["e漢"]),
        (
            "*a*a*a*a*a*a*a*b",
            &["aaaaaaab"],
            &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
        ),
    ] {
        for name in yes {
            assert!(glob_matches(pattern, name), "{pattern} means {name}");
        }
        for name in no {
            assert!(!glob_matches(pattern, name), "{pattern} does not mean {name}");
        }
        seen += yes.len() + no.len();
    }
    assert!(seen > 80, "{seen}");
}

/// A bracket right behind `[!` is one of the characters, and `[!]` alone stands for itself.
#[test]
fn negated_globs_may_hold_a_bracket() {
    assert!(glob_matches("[!]a]", "b") && !glob_matches("[!]a]", "]"));
    assert!(glob_matches("[!]", "[!]") && !glob_matches("[!]", "x"));
}

/// The row of a job whose config is missing costs no column.
#[test]
fn jobs_without_config_have_no_say() {
    let lab = Lab::with(&["j", "k"], &[object(1, "Train", "j", "\"x\":1")]);
    let loaded = lab.load(RUN);
    let (rows, objects) = (loaded.rows(), loaded.objects());
    assert_eq!((rows.rows.len(), objects.roots.iter().flatten().count()), (2, 1));
    let mut tree = PathTree::new(100);
    tree.observe_configs(&objects.graph, &objects.roots.iter().copied().flatten().collect::<Vec<_>>())
        .unwrap();
    assert_eq!(tree.len(), 4);
}

//! Nothing of the conformance suite is left out.

use std::collections::BTreeSet;
use std::path::Path;

macro_rules! names {
    ($($module:ident { $($name:ident)+ })+) => {
        [$($((stringify!($module), stringify!($name))),+),+]
    };
}

#[test]
fn every_function_of_the_suite_is_in_its_list() {
    let listed: BTreeSet<(String, String)> = storage::conformance_suite!(names)
        .iter()
        .map(|(module, name)| ((*module).to_owned(), (*name).to_owned()))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let mut written = BTreeSet::new();
    for file in folder.read_dir().expect("the suite's folder") {
        let path = file.expect("an entry").path();
        let module = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).expect("a source file");
        if module == "world" {
            continue;
        }
        for line in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
            let name = line.split('(').next().expect("a function has a name");
            written.insert((module.clone(), name.to_owned()));
        }
    }
    assert_eq!(listed, written);
}

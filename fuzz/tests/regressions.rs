//! Inputs that once failed: `regressions/ENTRY/WHAT`.

use fuzz::drive;

#[test]
fn what_once_failed_passes() {
    let mut failures = Vec::new();
    for folder in std::fs::read_dir(fuzz::regressions()).unwrap().map(Result::unwrap) {
        if !folder.path().is_dir() {
            continue;
        }
        let name = folder.file_name().into_string().unwrap();
        let entry = fuzz::entry(&name).unwrap_or_else(|| panic!("a folder for {name}, which is no entry"));
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let input = std::fs::read(file.path()).unwrap();
            if let Err(failure) = drive::replay(entry, input) {
                failures.push(format!("{}: {}", file.path().display(), failure.why));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

//! The clouds' SDKs from PyPI, for the stories in `tests/sdk`: in a virtual environment of their own, as pinned in
//! `tests/sdk/requirements.txt`.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::shell::{command, root, run, succeeds};

/// Sees to it that they are there. What was installed for the same pins is taken as it is.
pub fn provide() -> Result<()> {
    let folder = target().join("sdk");
    let (venv, installed) = (folder.join("venv"), folder.join("requirements.txt"));
    let wanted = std::fs::read(root().join(PINS))?;
    let python = venv.join("bin/python");
    let current = std::fs::read(&installed).is_ok_and(|pins| pins == wanted);
    if current && succeeds(command(&python).arg("--version")) {
        return Ok(());
    }
    println!("installing the clouds' SDKs into {}", venv.display());
    std::fs::create_dir_all(&folder)?;
    run(command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    install(&python)?;
    // Last: half an installation is none.
    Ok(std::fs::write(&installed, wanted)?)
}

const PINS: &str = "tests/sdk/requirements.txt";

fn install(python: &Path) -> Result<()> {
    let mut pip = command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    run(pip.args(["--no-deps", "--requirement", PINS]))
}

/// Cargo's target folder.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

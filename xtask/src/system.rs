//! What the system must have beside Rust. On Debian and Ubuntu it is installed; elsewhere we say what to install.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::shell::{command, run, succeeds, which};

/// Something the system must have.
#[derive(Clone, Copy)]
pub struct Need {
    /// The Debian package that brings it.
    package: &'static str,
    sign: Sign,
}

/// How one sees that it is there, without asking for the package: people build FFmpeg themselves.
#[derive(Clone, Copy)]
enum Sign {
    /// A program on the PATH.
    Program(&'static str),
    /// A library with headers that pkg-config knows.
    Library(&'static str),
    /// A python3 that can make virtual environments with pip in them.
    PythonVenv,
    /// libclang, which bindgen loads while FFmpeg's bindings are made.
    LibClang,
    /// Only Debian's package database can tell.
    Package,
}

const fn program(package: &'static str, name: &'static str) -> Need {
    Need { package, sign: Sign::Program(name) }
}

const fn library(package: &'static str, name: &'static str) -> Need {
    Need { package, sign: Sign::Library(name) }
}

/// To build the server.
pub const BUILD: &[Need] = &[
    library("libavcodec-dev", "libavcodec"),
    library("libavformat-dev", "libavformat"),
    library("libavutil-dev", "libavutil"),
    library("libswscale-dev", "libswscale"),
    library("libswresample-dev", "libswresample"),
    program("clang", "clang"),
    Need { package: "libclang-dev", sign: Sign::LibClang },
    program("pkg-config", "pkg-config"),
    program("cmake", "cmake"),
    program("nasm", "nasm"),
    program("make", "make"),
    program("gcc", "gcc"),
    program("g++", "g++"),
];

/// To run the tests.
pub const TEST: &[Need] = &[program("ffmpeg", "ffmpeg"), program("ffmpeg", "ffprobe")];

/// To run the stories of the clouds' SDKs.
pub const SDK: &[Need] =
    &[program("python3", "python3"), Need { package: "python3-venv", sign: Sign::PythonVenv }];

/// To play in a browser.
pub const BROWSER: &[Need] =
    &[program("chromium", "chromium"), program("nodejs", "node"), program("npm", "npm")];

/// To play with what is no browser.
pub const PLAYERS: &[Need] = &[
    program("gstreamer1.0-tools", "gst-launch-1.0"),
    Need { package: "gstreamer1.0-plugins-good", sign: Sign::Package },
    Need { package: "gstreamer1.0-plugins-bad", sign: Sign::Package },
    Need { package: "gstreamer1.0-libav", sign: Sign::Package },
    program("gstreamer1.0-plugins-base-apps", "gst-play-1.0"),
];

/// To set a server's clock back.
pub const CLOCK: &[Need] = &[program("faketime", "faketime")];

/// To put objects beside ours.
pub const S3: &[Need] = &[program("curl", "curl")];

/// To run OBS Studio without a screen.
pub const OBS: &[Need] = &[
    program("obs-studio", "obs"),
    Need { package: "libgl1-mesa-dri", sign: Sign::Package },
    program("xvfb", "Xvfb"),
];

const ELSEWHERE: &str = "\
Debian, Ubuntu:  sudo apt-get install --no-install-recommends libavcodec-dev libavformat-dev libavutil-dev \\
                 libswscale-dev libswresample-dev clang libclang-dev pkg-config cmake nasm make gcc g++ ffmpeg \\
                 python3 python3-venv
Fedora:          sudo dnf install ffmpeg-free-devel ffmpeg-free clang clang-devel pkgconf-pkg-config cmake nasm \\
                 make gcc gcc-c++ python3
macOS:           brew install ffmpeg llvm pkg-config cmake nasm python
                 export LIBCLANG_PATH=\"$(brew --prefix llvm)/lib\"";

/// Sees to it that everything in `needs` is there.
pub fn provide(needs: &[&[Need]]) -> Result<()> {
    let absent = missing(needs);
    if absent.is_empty() {
        return Ok(());
    }
    println!("missing: {}", absent.join(" "));
    if which("apt-get").is_none() {
        return Err(format!("install what is missing, then try again:\n{ELSEWHERE}").into());
    }
    apt_install(&absent)?;
    match missing(needs) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("still missing after apt-get: {}", left.join(" ")).into()),
    }
}

fn missing(needs: &[&[Need]]) -> Vec<&'static str> {
    let absent = needs.iter().copied().flatten().filter(|need| !need.is_there());
    let mut packages: Vec<_> = absent.map(|need| need.package).collect();
    packages.dedup();
    packages
}

impl Need {
    fn is_there(self) -> bool {
        let found = match self.sign {
            Sign::Program(name) => which(name).is_some(),
            Sign::Library(name) => succeeds(command("pkg-config").args(["--exists", name])),
            Sign::PythonVenv => succeeds(command("python3").args(["-c", "import ensurepip, venv"])),
            Sign::LibClang => libclang_is_there(),
            Sign::Package => which("dpkg-query").is_none(),
        };
        found || self.is_installed()
    }

    fn is_installed(self) -> bool {
        // A program or library counts only when it can be found: a removed package still has a row there.
        matches!(self.sign, Sign::Package | Sign::LibClang)
            && command("dpkg-query")
                .args(["-W", "-f", "${db:Status-Abbrev}", self.package])
                .output()
                .is_ok_and(|out| out.stdout.starts_with(b"ii"))
    }
}

fn libclang_is_there() -> bool {
    let named = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let usual = ["/usr/lib64", "/opt/homebrew/opt/llvm/lib", "/usr/local/opt/llvm/lib"];
    let xcode = ["/Library/Developer/CommandLineTools/usr/lib"];
    let versions =
        folder("/usr/lib").filter(|path| name(path).starts_with("llvm-")).map(|path| path.join("lib"));
    let folders = named.into_iter().chain(usual.iter().chain(&xcode).map(PathBuf::from)).chain(versions);
    folders.into_iter().any(|path| {
        folder(path).any(|file| name(&file).starts_with("libclang.so") || name(&file) == "libclang.dylib")
    })
}

fn folder(path: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let install: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].iter().chain(packages).copied().collect();
    let apt = |words: &[&str]| {
        let mut apt = as_root().ok_or_else(|| {
            format!("not root, and no sudo here; run as root, then try again:\napt-get {}", install.join(" "))
        })?;
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
        // Another apt-get, of a fresh machine's own start perhaps, may hold the lock for a while.
        run(apt.args(["-o", "DPkg::Lock::Timeout=300"]).args(words))
    };
    let lists = folder("/var/lib/apt/lists").any(|file| name(&file).contains("_Packages"));
    if lists && apt(&install).is_ok() {
        return Ok(());
    }
    // No package lists yet, or so old that they name what the mirror no longer has.
    apt(&["update"])?;
    apt(&install)
}

/// `env`, run as root: by root itself, or through sudo.
fn as_root() -> Option<Command> {
    let id = command("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(command("env"));
    }
    which("sudo")?;
    let mut sudo = command("sudo");
    // Where nobody can type a password, sudo must say so and end.
    if std::env::var_os("CI").is_some() {
        sudo.arg("-n");
    }
    sudo.arg("env");
    Some(sudo)
}

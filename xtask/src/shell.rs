//! Paths of the workspace, and commands that are run to their end.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The workspace's folder, with a path below it.
pub fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf).join(below)
}

/// The folder that cargo builds into, with a path below it.
pub fn target(below: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root("target"), PathBuf::from).join(below)
}

/// The cargo that started us.
pub fn cargo() -> Command {
    command(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// A program that runs in the workspace's folder and reads nothing.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root("")).stdin(Stdio::null());
    command
}

/// Whether `program --version` (or another argument) can be run at all.
pub fn works(program: impl AsRef<std::ffi::OsStr>, argument: &str) -> bool {
    command(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs to the end; what it prints goes where ours goes.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{} could not be started", name(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

/// Runs to the end and returns its standard output.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{} could not be started", name(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", name(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end, shows what it prints and returns that too.
pub fn tee(command: &mut Command) -> anyhow::Result<(bool, String)> {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| format!("{} could not be started", name(command)))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let both = std::thread::scope(|scope| {
        let err = scope.spawn(|| err.map(echo).unwrap_or_default());
        let mut all = out.map(echo).unwrap_or_default();
        all.push_str(&err.join().unwrap_or_default());
        all
    });
    Ok((child.wait()?.success(), both))
}

fn echo(stream: impl Read) -> String {
    let mut all = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        println!("{line}");
        all.push_str(&line);
        all.push('\n');
    }
    all
}

fn name(command: &Command) -> String {
    let arguments = command.get_args().map(|part| part.to_string_lossy()).collect::<Vec<_>>();
    format!("`{} {}`", command.get_program().to_string_lossy(), arguments.join(" "))
}

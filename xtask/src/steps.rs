//! Named, timed steps: all are run, also after one has failed, and counted at the end.

use std::time::Instant;

use anyhow::bail;

#[derive(Default)]
pub struct Steps {
    passed: usize,
    failed: usize,
    lines: Vec<String>,
}

impl Steps {
    /// Runs one step. It answers how many tests passed in it, and counts as one where it has none.
    pub fn step(&mut self, name: &str, run: impl FnOnce() -> anyhow::Result<usize>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let done = run();
        let seconds = start.elapsed().as_secs_f32();
        match done {
            Ok(tests) => {
                self.passed += tests.max(1);
                self.lines.push(format!("ok      {seconds:7.1} s  {name}"));
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                self.failed += 1;
                self.lines.push(format!("FAILED  {seconds:7.1} s  {name}: {error:#}"));
            }
        }
        println!("<== {name}: {seconds:.1} s");
    }

    /// Prints what was run; an error where a step failed.
    pub fn finish(self) -> anyhow::Result<()> {
        println!("\n{}\n\n{} passed, {} failed", self.lines.join("\n"), self.passed, self.failed);
        if self.failed > 0 {
            bail!("{} failed", if self.failed == 1 { "a step has".to_owned() } else { format!("{} steps have", self.failed) });
        }
        Ok(())
    }
}

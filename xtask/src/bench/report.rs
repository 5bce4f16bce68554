//! The page of results.

use anyhow::Context;

use crate::shell;

#[derive(Default)]
pub struct Report {
    sections: Vec<String>,
}

/// One line against a target.
pub struct Goal {
    pub what: &'static str,
    pub measured: String,
    pub wanted: &'static str,
    pub met: bool,
}

impl Report {
    /// A table with a heading, and what to know of how it was measured.
    pub fn table(&mut self, heading: &str, how: &str, columns: &[&str], rows: &[Vec<String>], goals: &[Goal]) {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let head = columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>();
        let mut section = format!("## {heading}\n\n{how}\n\n{}\n{}\n", line(&head), "|---".repeat(columns.len()) + "|");
        for row in rows {
            section.push_str(&line(row));
            section.push('\n');
        }
        for Goal { what, measured, wanted, met } in goals {
            let verdict = if *met { "met" } else { "**missed**" };
            section.push_str(&format!("\n{what}: **{measured}** (wanted {wanted}: {verdict})\n"));
        }
        println!("{section}");
        self.sections.push(section);
    }

    /// The page, with the day and the machine.
    pub fn page(&self) -> anyhow::Result<String> {
        let date = shell::output(shell::command("date").args(["-u", "+%Y-%m-%d"]))?;
        let info = std::fs::read_to_string("/proc/cpuinfo").context("only Linux has /proc")?;
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("unknown", |(_, model)| model);
        let processors = info.lines().filter(|line| line.starts_with("processor")).count();
        let memory = std::fs::read_to_string("/proc/meminfo").context("only Linux has /proc")?;
        let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        let memory = memory.map_or(0, |kib| (kib + (1 << 19)) >> 20);
        Ok(format!(
            "# Benchmarks\n\nMade by `cargo xtask bench` on {}: {processors} × {model}, {memory} GiB, Linux, everything on loopback of this one \
             machine,\nthe binary built with the `dist` profile. Both sides of a ratio are measured in turn in the same run; absolute numbers of another\n\
             machine, or of a busy one, differ.\n\n{}",
            date.trim(),
            self.sections.join("\n")
        ))
    }
}

pub fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".to_owned(),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

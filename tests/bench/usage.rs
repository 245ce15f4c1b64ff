//! What the operating system has counted for a process (proc(5)).

use std::process::Command;

/// The CPU time that a process has used so far, in seconds. Counted in ticks, usually of 10 ms.
pub fn cpu_seconds(pid: u32) -> f64 {
    // The name of the program stands in parentheses and may hold anything, so fields are counted from behind it.
    const USER_TIME: usize = 11;
    let stat = read(pid, "stat");
    let (_, fields) = stat.rsplit_once(')').expect("proc(5): the name is in parentheses");
    let fields: Vec<u64> = fields
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let ticks = fields[USER_TIME] + fields[USER_TIME + 1];
    ticks as f64 / ticks_per_second()
}

/// How much memory of a process is resident, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = read(pid, "status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("proc(5): VmRSS in kB")
}

fn read(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the node is running, on Linux")
}

fn ticks_per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(100.0)
}

//! The machine that a measurement was made on.

use serde::{Deserialize, Serialize};
use std::thread;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// What a reader of a measurement has to know about the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: Option<String>,
    /// CPUs that this process may use.
    pub(crate) cpus: usize,
    pub(crate) physical_cores: Option<usize>,
    pub(crate) memory_bytes: u64,
    pub(crate) system: Option<String>,
    pub(crate) kernel: Option<String>,
    pub(crate) architecture: String,
}

impl Machine {
    /// Describes this machine, as far as the system tells.
    pub(crate) fn describe() -> Machine {
        let what =
            RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::everything());
        let system = System::new_with_specifics(what).ok();
        let cpu = system.as_ref().and_then(|system| Some(system.cpus().first()?.brand().trim().to_owned()));
        Machine {
            cpu: cpu.filter(|brand| !brand.is_empty()),
            cpus: thread::available_parallelism().map_or(1, |n| n.get()),
            physical_cores: System::physical_core_count().ok(),
            memory_bytes: system.as_ref().map_or(0, |system| system.total_memory()),
            system: System::long_os_version().ok(),
            kernel: System::kernel_version().ok(),
            architecture: std::env::consts::ARCH.to_owned(),
        }
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let known = [
            self.cpu.clone(),
            Some(crate::text::plural(self.cpus as u64, "CPU")),
            Some(format!("{} memory", crate::text::bytes(self.memory_bytes as f64))),
            self.system.clone(),
            self.kernel.as_ref().map(|kernel| format!("kernel {kernel}")),
        ];
        known.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

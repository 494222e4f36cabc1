//! Whether there is anything to draw with.

use bevy::tasks::block_on;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};

/// No graphics adapter: neither a GPU nor a software one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no graphics adapter: Vulkan found neither a GPU nor a software renderer. On Debian and Ubuntu, \
     `apt-get install mesa-vulkan-drivers libvulkan1` brings one; `kinograd render` draws without any"
)]
pub struct NoAdapter;

/// Something to draw with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// What the driver calls it.
    pub name: String,
    /// Whether it draws on the processor.
    pub is_software: bool,
}

/// The adapters there are, in the driver's order.
///
/// # Errors
/// [`NoAdapter`] if there is none; Bevy would panic.
pub fn adapters() -> Result<Vec<Adapter>, NoAdapter> {
    let backends = Backends::from_env().unwrap_or(Backends::all());
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let found = block_on(instance.enumerate_adapters(backends));
    let describe = |adapter: &wgpu::Adapter| {
        let info = adapter.get_info();
        Adapter {
            name: info.name,
            is_software: info.device_type == DeviceType::Cpu,
        }
    };
    let all: Vec<Adapter> = found.iter().map(describe).collect();
    if all.is_empty() {
        Err(NoAdapter)
    } else {
        Ok(all)
    }
}

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use kinograd_files::Budget;

use crate::RuntimeError;

/// Where ONNX Runtime runs a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The fastest that the library was built with and the machine can run.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An NVIDIA GPU, through TensorRT; what TensorRT cannot run goes to CUDA.
    TensorRt,
}

impl Provider {
    /// Whether it runs on a graphics card.
    pub(crate) fn is_gpu(self) -> bool {
        matches!(self, Self::Cuda | Self::TensorRt)
    }
}

impl FromStr for Provider {
    type Err = RuntimeError;

    fn from_str(word: &str) -> Result<Self, RuntimeError> {
        match word.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "tensorrt" => Ok(Self::TensorRt),
            _ => Err(RuntimeError::UnknownChoice {
                what: "provider",
                got: word.to_owned(),
                choices: "auto, cpu, cuda, tensorrt",
            }),
        }
    }
}

/// How far an engine rewrites a graph before it runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum GraphOptimization {
    /// Run the graph as it is written.
    None,
    /// Constant folding and removal of redundant nodes.
    Basic,
    /// Also fusions; the result does not depend on the processor, so it may be saved.
    #[default]
    Extended,
    /// Also memory layouts for this processor; never saved.
    All,
}

/// What an engine says of a run that [`SessionOptions::time_limit`] ended begins so.
pub(crate) const TOO_LONG: &str = "it took more than";

/// How a session is made.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// How far the graph is rewritten.
    pub optimization: GraphOptimization,
    /// Folder for optimised graphs and TensorRT engines; `None` saves nothing.
    pub cache_dir: Option<PathBuf>,
    /// Outputs that stay on the device that made them, for another session to read.
    /// It has an effect on GPU providers only.
    pub device_outputs: Vec<String>,
    /// Longest run, for networks that may not end; `None` waits. ONNX Runtime keeps it, outside of
    /// TensorRT, which builds engines in its first run; the built-in engine has no loops.
    pub time_limit: Option<Duration>,
}

impl SessionOptions {
    /// For a network of the user's own: a run takes at most [`Budget::evaluation_secs`].
    #[must_use]
    pub fn of_user_network(self) -> Self {
        let secs = Budget::of_process().evaluation_secs;
        Self {
            time_limit: Some(Duration::from_secs_f64(secs)),
            ..self
        }
    }
}

/// 0 stands for one thread per processor core.
pub(crate) fn thread_count(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_the_names_of_the_command_line() {
        for (word, provider) in [
            ("auto", Provider::Auto),
            ("cpu", Provider::Cpu),
            ("CUDA", Provider::Cuda),
            ("tensorrt", Provider::TensorRt),
        ] {
            assert_eq!(word.parse::<Provider>().unwrap(), provider);
        }
        let error = "gpu".parse::<Provider>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown provider `gpu`; choose one of auto, cpu, cuda, tensorrt"
        );
    }
}

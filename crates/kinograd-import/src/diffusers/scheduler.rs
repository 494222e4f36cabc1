//! `scheduler/scheduler_config.json` as the schedule of a training.

use kinograd_diffusion::SamplerKind;
use serde_json::Value;

use kinograd_runtime::{Defaults, Prediction, RuntimeError, ScheduleKind, ScheduleSpec, TimeInput};

use super::folder::{PipelineFolder, number};

const FILE: &str = "scheduler/scheduler_config.json";

/// Schedulers that walk the levels of β that a configuration gives.
const KNOWN: &[&str] = &[
    "DDIMScheduler",
    "DDPMScheduler",
    "PNDMScheduler",
    "LMSDiscreteScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DPMSolverSDEScheduler",
    "DEISMultistepScheduler",
    "UniPCMultistepScheduler",
    "SASolverScheduler",
    DISTILLED,
];

/// That of latent consistency models (Luo et al. 2023).
const DISTILLED: &str = "LCMScheduler";

/// Steps of the run that an `LCMScheduler` distils, and of its own runs, where nothing says.
const DISTILLED_LEVELS: usize = 50;
const DISTILLED_STEPS: usize = 4;

/// What a network was trained on, and what of the pipeline's sampling is left out.
#[derive(Debug)]
pub(super) struct Trained {
    pub schedule: ScheduleSpec,
    pub prediction: Prediction,
    /// What a run is like where nothing is said.
    pub defaults: Defaults,
    pub notes: Vec<String>,
}

pub(super) fn read(folder: &PipelineFolder) -> Result<Trained, RuntimeError> {
    let config = folder.needed_json(FILE)?;
    trained(&config).map_err(|reason| folder.refuse(&format!("{FILE}: {reason}")))
}

/// Reads a configuration; the error says what of it is not taken.
fn trained(config: &Value) -> Result<Trained, String> {
    let class = config["_class_name"].as_str().unwrap_or("none");
    if !KNOWN.contains(&class) {
        return Err(format!(
            "the scheduler {class} is not known; those of β schedules are ({})",
            KNOWN.join(", ")
        ));
    }
    if !config["trained_betas"].is_null() {
        return Err("`trained_betas`, a table of β, is not taken".to_owned());
    }
    let kind = match config["beta_schedule"].as_str().unwrap_or("linear") {
        "linear" => ScheduleKind::Linear,
        "scaled_linear" => ScheduleKind::ScaledLinear,
        "squaredcos_cap_v2" => ScheduleKind::Cosine,
        other => {
            return Err(format!(
                "beta_schedule `{other}` is none of linear, scaled_linear and squaredcos_cap_v2"
            ));
        }
    };
    let prediction = match config["prediction_type"].as_str().unwrap_or("epsilon") {
        "epsilon" => Prediction::Epsilon,
        "v_prediction" => Prediction::V,
        "sample" => Prediction::X0,
        other => {
            return Err(format!(
                "prediction_type `{other}` is none of epsilon, v_prediction and sample"
            ));
        }
    };
    let zero_snr = config["rescale_betas_zero_snr"] == true;
    if zero_snr && prediction == Prediction::Epsilon {
        return Err(
            "rescale_betas_zero_snr with prediction_type epsilon: noise alone tells no picture"
                .to_owned(),
        );
    }
    let is_cosine = kind == ScheduleKind::Cosine;
    // The defaults are diffusers', whatever the kind.
    let beta = |key: &str, default: f64| Some(config[key].as_f64().unwrap_or(default));
    let schedule = ScheduleSpec {
        kind,
        train_steps: number(config, "num_train_timesteps").unwrap_or(1000),
        beta_start: beta("beta_start", 1e-4).filter(|_| !is_cosine),
        beta_end: beta("beta_end", 0.02).filter(|_| !is_cosine),
        zero_snr,
        shift: None,
        time: TimeInput::Discrete,
        distilled_levels: (class == DISTILLED)
            .then(|| number(config, "original_inference_steps").unwrap_or(DISTILLED_LEVELS)),
    };
    let defaults = if class == DISTILLED {
        Defaults {
            steps: Some(DISTILLED_STEPS),
            sampler: Some(SamplerKind::Consistency),
            ..Defaults::default()
        }
    } else {
        Defaults::default()
    };
    Ok(Trained {
        schedule,
        prediction,
        defaults,
        notes: notes(config, class),
    })
}

/// What the pipeline samples by and we do not, each by its name.
fn notes(config: &Value, class: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if !["DDIMScheduler", DISTILLED].contains(&class) {
        notes.push(format!(
            "exported with {class}; the levels of its training are kept, --sampler says how they are walked"
        ));
    }
    let spacing = config["timestep_spacing"].as_str().unwrap_or("leading");
    if spacing != "trailing" && class != DISTILLED {
        let offset = config["steps_offset"].as_i64().unwrap_or(0);
        notes.push(format!(
            "exported with timestep_spacing {spacing} and steps_offset {offset}; steps are trailing here: the \
             first is the last of the training"
        ));
    }
    let switches = [
        ("clip_sample", "x̂0 is not clipped"),
        ("thresholding", "x̂0 is not clipped by its quantiles"),
        ("use_karras_sigmas", "steps are even in time"),
        ("use_exponential_sigmas", "steps are even in time"),
        ("use_beta_sigmas", "steps are even in time"),
    ];
    for (key, instead) in switches {
        if config[key] == true {
            notes.push(format!(
                "exported with {key}, which is not done here: {instead}"
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn configurations_are_read_with_the_defaults_of_diffusers() {
        let read = trained(&json!({
            "_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
            "beta_end": 0.012, "steps_offset": 1, "set_alpha_to_one": false, "use_karras_sigmas": true,
        }));
        let read = read.unwrap();
        assert_eq!(read.prediction, Prediction::Epsilon);
        assert_eq!(read.schedule.beta_end, Some(0.012));
        for (note, part) in read.notes.iter().zip([
            "PNDMScheduler",
            "timestep_spacing leading and steps_offset 1",
            "use_karras_sigmas",
        ]) {
            assert!(note.contains(part), "{note}");
        }
        let cosine = json!({"_class_name": "DDIMScheduler", "beta_schedule": "squaredcos_cap_v2",
            "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "num_train_timesteps": 50,
            "timestep_spacing": "trailing"});
        let read = trained(&cosine).unwrap();
        assert_eq!(
            (read.schedule.train_steps, read.schedule.beta_end),
            (50, None)
        );
        assert!(read.schedule.zero_snr && read.notes.is_empty());
        assert!(read.schedule.levels().is_ok());
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_name() {
        for (key, value, part) in [
            (
                "_class_name",
                json!("EDMEulerScheduler"),
                "EDMEulerScheduler is not known",
            ),
            ("_class_name", json!(null), "the scheduler none"),
            ("trained_betas", json!([0.1, 0.2]), "`trained_betas`"),
            ("beta_schedule", json!("sigmoid"), "beta_schedule `sigmoid`"),
            (
                "prediction_type",
                json!("flow_prediction"),
                "prediction_type `flow_prediction`",
            ),
            (
                "rescale_betas_zero_snr",
                json!(true),
                "with prediction_type epsilon",
            ),
        ] {
            let mut config = json!({"_class_name": "DDIMScheduler"});
            config[key] = value;
            let reason = trained(&config).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }
}

//! Which family a pipeline is of.

use kinograd_runtime::RuntimeError;

use super::folder::PipelineFolder;

/// Families whose folders are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Stable Diffusion 1 and 2 (Rombach et al. 2022).
    StableDiffusion,
    /// Stable Diffusion XL (Podell et al. 2023).
    StableDiffusionXl,
}

/// Pipelines whose networks take what a package cannot give, and what that is.
const REFUSED: &[(&str, &str)] = &[
    (
        "StableDiffusion3",
        "a second tokenizer of another length (T5) has no place in a package yet",
    ),
    (
        "Flux",
        "packed latents and a T5 encoder have no place in a package yet",
    ),
    (
        "Inpaint",
        "its U-Net of 9 channels is given mask and masked picture; `--loss inpaint=MASK,image=PICTURE` does \
         the same with a model that makes pictures",
    ),
    ("ControlNet", "it is given a picture besides the text"),
    ("Upscale", "it is given a picture besides the text"),
    ("InstructPix2Pix", "it is given a picture besides the text"),
    (
        "EDM",
        "Karras's time and scaling have no place in a package yet",
    ),
];

/// The family by the pipeline's class, whichever library wrote it.
pub(super) fn of(folder: &PipelineFolder) -> Result<Family, RuntimeError> {
    let class = folder.class();
    let short = ["Onnx", "ORT", "OV"]
        .iter()
        .find_map(|library| class.strip_prefix(library))
        .unwrap_or(class);
    let short = short.strip_suffix("Pipeline").unwrap_or(short);
    match short.strip_suffix("Img2Img").unwrap_or(short) {
        // Luo et al. 2023: Stable Diffusion, distilled; its scheduler and its U-Net say how.
        "StableDiffusion" | "LatentConsistencyModel" => Ok(Family::StableDiffusion),
        "StableDiffusionXL" if folder.switch("requires_aesthetics_score") == Some(true) => {
            Err(folder.refuse(
                "a refiner of Stable Diffusion XL goes on from another model's picture; add the base model",
            ))
        }
        "StableDiffusionXL" => Ok(Family::StableDiffusionXl),
        other => {
            let reason = REFUSED.iter().find(|(part, _)| other.contains(part));
            let reason = reason.map_or("this family is not known", |(_, reason)| reason);
            Err(folder.refuse(&format!(
                "a {class}: {reason}. Folders of Stable Diffusion 1, 2 and XL are taken, and latent consistency models of them"
            )))
        }
    }
}

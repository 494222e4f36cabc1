//! Stable Diffusion 1, 2 (Rombach et al. 2022) and XL (Podell et al. 2023).

use std::collections::BTreeMap;

use kinograd_runtime::{
    Conditioning, Defaults, ImageSize, LatentSize, Manifest, ModelKind, NullText, Role,
    RuntimeError, SCHEMA,
};
use onnx_grad::{Dimension, Model};
use serde_json::Value;

use super::family::Family;
use super::files::{GraphFile, PackageFiles};
use super::folder::{PipelineFolder, number};
use super::scheduler;
use super::text;
use crate::adapt::{self, MaskMeaning};

/// Pixels that one latent stands for, where the decoder does not say.
const FACTOR: usize = 8;

/// The manifest without a name, and the files.
pub(super) fn read(
    folder: &PipelineFolder,
    family: Family,
    size: Option<[usize; 2]>,
) -> Result<(Manifest, PackageFiles), RuntimeError> {
    let trained = scheduler::read(folder)?;
    let unet = GraphFile::read(folder.graph("unet")?, "denoiser")?;
    let decoder = GraphFile::read(folder.graph("vae_decoder")?, "decoder")?;
    let (latent, image) = sizes(folder, &unet.model, family, size)?;
    let mut manifest = empty();
    manifest.schedule = Some(trained.schedule);
    manifest.prediction = trained.prediction;
    manifest.limits = trained.notes;
    manifest.latent = Some(latent);
    manifest.image = Some(image);
    let is_distilled = trained.schedule.distilled_levels.is_some();
    manifest.defaults = Defaults {
        // The pipelines' own; a distilled network is guided by what it learnt.
        cfg: (!is_distilled).then_some(match family {
            Family::StableDiffusion => 7.5,
            Family::StableDiffusionXl => 5.0,
        }),
        ..trained.defaults
    };
    let mut files = PackageFiles::default();
    let dims = width_of_text(folder, &unet.model)?;
    add_text(folder, family, dims, &mut manifest, &mut files)?;
    if folder.has("safety_checker") {
        let note =
            "the folder's safety checker is not part of the package: pictures are not filtered";
        manifest.limits.push(note.to_owned());
    }
    add_networks(unet, decoder, &mut manifest, &mut files)?;
    Ok((manifest, files))
}

/// Adds the encoders' graph, the tokenizers and what the manifest says of them.
fn add_text(
    folder: &PipelineFolder,
    family: Family,
    dims: usize,
    manifest: &mut Manifest,
    files: &mut PackageFiles,
) -> Result<(), RuntimeError> {
    let mut text = text::read(folder, family)?;
    files.graph(text.model, text.data, &mut text.entry);
    manifest.files.insert(Role::TextEncoder, text.entry);
    let roles = [Role::Tokenizer, Role::Tokenizer2];
    for (role, (json, path)) in roles.into_iter().zip(text.tokenizers) {
        manifest.files.insert(role, files.text(json, path));
    }
    manifest.conditioning = Some(Conditioning {
        dims,
        max_tokens: text.max_tokens,
        pooled_dims: text.pooled_dims,
        null: null_text(folder, family),
        ..Conditioning::default()
    });
    Ok(())
}

/// Adds denoiser and decoder, fitted to what the manifest says.
fn add_networks(
    mut unet: GraphFile,
    mut decoder: GraphFile,
    manifest: &mut Manifest,
    files: &mut PackageFiles,
) -> Result<(), RuntimeError> {
    let (latent, image) = (manifest.sample_size()?, manifest.image()?.size());
    let text = manifest.text()?;
    let text = [text.max_tokens, text.dims];
    let data = unet.take_data();
    let model = adapt::with_sides(unet.model, &latent, &latent);
    let model = adapt::with_sides(model, &text, &[]);
    let mask = MaskMeaning::RealIsOne;
    let mut adapted = adapt::denoiser(&unet.onnx, model.clone(), manifest, mask)?;
    files.graph(adapted.model.unwrap_or(model), data, &mut adapted.entry);
    manifest.files.insert(Role::Denoiser, adapted.entry);
    let data = decoder.take_data();
    let model = adapt::with_sides(decoder.model, &latent, &image);
    let mut adapted = adapt::decoder(&decoder.onnx, model.clone(), manifest)?;
    files.graph(adapted.model.unwrap_or(model), data, &mut adapted.entry);
    manifest.files.insert(Role::Decoder, adapted.entry);
    Ok(())
}

fn empty() -> Manifest {
    Manifest {
        schema: SCHEMA,
        name: String::new(),
        version: "0.1.0".to_owned(),
        kind: ModelKind::Image,
        files: BTreeMap::new(),
        prediction: kinograd_runtime::Prediction::default(),
        schedule: None,
        representation: None,
        image: None,
        latent: None,
        classes: None,
        conditioning: None,
        text: None,
        defaults: Defaults::default(),
        licence: "not said".to_owned(),
        data: "not said".to_owned(),
        limits: Vec::new(),
        known_prompts: Vec::new(),
        metrics: serde_json::Map::new(),
        lineage: None,
    }
}

/// Of XL the null condition is zeros unless the pipeline says otherwise.
fn null_text(folder: &PipelineFolder, family: Family) -> NullText {
    let forced = folder
        .switch("force_zeros_for_empty_prompt")
        .unwrap_or(true);
    if family == Family::StableDiffusionXl && forced {
        NullText::Zeros
    } else {
        NullText::Empty
    }
}

fn fixed(model: &Model, input: &str, axis: usize) -> Option<usize> {
    let inputs = model.inputs();
    let tensor = inputs.iter().find(|tensor| tensor.name == input)?;
    match tensor.shape.as_deref()?.get(axis)? {
        Dimension::Fixed(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// Width of what the U-Net reads of a text.
fn width_of_text(folder: &PipelineFolder, unet: &Model) -> Result<usize, RuntimeError> {
    let config = folder.json("unet/config.json")?.unwrap_or(Value::Null);
    fixed(unet, "encoder_hidden_states", 2)
        .or_else(|| number(&config, "cross_attention_dim"))
        .ok_or_else(|| {
            folder.refuse(
                "the width of encoder_hidden_states is said by neither unet/model.onnx nor \
                 unet/config.json (cross_attention_dim)",
            )
        })
}

/// Sizes of latents and pictures: `asked` is height and width of pictures, else what the graph fixes, else what
/// the configuration says.
fn sizes(
    folder: &PipelineFolder,
    unet: &Model,
    family: Family,
    asked: Option<[usize; 2]>,
) -> Result<(LatentSize, ImageSize), RuntimeError> {
    let config = folder.json("unet/config.json")?.unwrap_or(Value::Null);
    let vae = folder
        .json("vae_decoder/config.json")?
        .unwrap_or(Value::Null);
    let channels = fixed(unet, "sample", 1).or_else(|| number(&config, "in_channels"));
    let channels = channels.unwrap_or(4);
    if channels == 9 {
        return Err(folder.refuse(
            "its U-Net takes 9 channels, as those that fill in a part of a picture do; `--loss \
             inpaint=MASK,image=PICTURE` does the same with a model that makes pictures",
        ));
    }
    let blocks = vae["block_out_channels"].as_array().map(Vec::len);
    let factor = blocks.map_or(FACTOR, |blocks| 1 << blocks.saturating_sub(1).min(8));
    let [height, width] = sides(folder, unet, number(&config, "sample_size"), factor, asked)?;
    let scale = vae["scaling_factor"].as_f64().unwrap_or(match family {
        Family::StableDiffusion => 0.18215,
        Family::StableDiffusionXl => 0.13025,
    });
    if !vae["latents_mean"].is_null() {
        return Err(
            folder.refuse("vae_decoder/config.json: latents_mean, one per channel, is not taken")
        );
    }
    let latent = LatentSize {
        channels,
        height,
        width,
        scale,
        shift: vae["shift_factor"].as_f64(),
    };
    let image = ImageSize {
        channels: 3,
        height: height * factor,
        width: width * factor,
    };
    Ok((latent, image))
}

/// Height and width of latents, each of which stands for `factor` pixels.
fn sides(
    folder: &PipelineFolder,
    unet: &Model,
    square: Option<usize>,
    factor: usize,
    asked: Option<[usize; 2]>,
) -> Result<[usize; 2], RuntimeError> {
    let side = |axis: usize| -> Result<usize, RuntimeError> {
        let own = fixed(unet, "sample", axis + 2);
        let Some(pixels) = asked.map(|asked| asked[axis]) else {
            return own.or(square).ok_or_else(|| {
                folder.refuse(
                    "neither unet/model.onnx nor unet/config.json says a size; give --size HEIGHTxWIDTH",
                )
            });
        };
        if pixels.is_multiple_of(factor) && own.is_none_or(|own| own * factor == pixels) {
            return Ok(pixels / factor);
        }
        let only = own.map_or(format!("multiples of {factor}"), |own| {
            (own * factor).to_string()
        });
        Err(folder.refuse(&format!("--size {pixels}: it makes {only} pixels")))
    };
    Ok([side(0)?, side(1)?])
}

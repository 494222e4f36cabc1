//! Targets as files, and how near pictures come to them.

use kinograd::motion::metrics::Gaussian;
use kinograd_files::TemporaryFolder;
use ndarray::{Array2, ArrayD, Axis, stack};

use super::protocol::{ImageCandidate, ImageGoal, ImageProtocol};
use super::record::PictureRecord;
use kinograd::Error;
use kinograd::image::{
    GeneratedImage, ImageGenerator, PairEncoders, PictureGoal, PictureGoalKind, PictureTask,
    PictureTaskBuilder,
};

/// A pixel is foreground if a channel is darker than this; white is 1, black −1.
const NOT_WHITE: f32 = 0.7;

/// An open generator and all that it is asked for.
pub(super) struct Targets<'a> {
    pub protocol: &'a ImageProtocol,
    pub generator: ImageGenerator,
    /// Of the texts, `[prompts, e]`: by the encoders that steer and by those that judge.
    texts: [Option<Array2<f32>>; 2],
    /// Of the judge's training data.
    pub reference: Option<Gaussian>,
    folder: TemporaryFolder,
}

impl<'a> Targets<'a> {
    /// Opens every network that the protocol needs and writes masks and drawings.
    pub fn open(
        protocol: &'a ImageProtocol,
        options: &kinograd::runtime::EngineOptions,
    ) -> Result<Self, Error> {
        protocol.check()?;
        let folder = TemporaryFolder::new_in(&std::env::temp_dir())
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut needs = task(protocol);
        // A text opens both encoders: the judge's distances are measured of every picture.
        let text = protocol.prompts.first().map_or("a picture", String::as_str);
        needs = needs.prompt(text);
        if let Some(cfg) = protocol.cfg {
            needs = needs.text(text).cfg(cfg);
        }
        if protocol.goals.contains(&ImageGoal::Seg) {
            needs = needs.goal(alone(PictureGoalKind::Seg {
                mask: folder.path().join("none.png"),
            }));
        }
        let mut generator = ImageGenerator::open(&needs.build()?, options)?;
        let prompts: Vec<&str> = protocol.prompts.iter().map(String::as_str).collect();
        let mut texts = [None, None];
        let mut reference = None;
        for (row, encoders) in texts.iter_mut().zip(generator.encoders()) {
            let Some(encoders) = encoders else { continue };
            if !prompts.is_empty() {
                *row = Some(encoders.embed_texts(&prompts)?);
            }
            // The judge's are the last.
            reference.clone_from(&encoders.reference);
        }
        let reference = match (&texts[1], reference) {
            (Some(_), Some(stored)) => Some(Gaussian::new(
                stored.mean.mapv(f64::from),
                stored.covariance.mapv(f64::from),
            )?),
            _ => None,
        };
        let [_, height, width] = generator.size();
        for shape in &protocol.shapes {
            let path = |kind: &str| folder.path().join(format!("{kind}-{}.png", shape.name()));
            shape.mask([height, width]).save(&path("seg"), None)?;
            shape.drawing([height, width]).save(&path("sketch"), None)?;
        }
        Ok(Self {
            protocol,
            generator,
            texts,
            reference,
            folder,
        })
    }

    /// A task for one target, but for seeds.
    pub fn task(
        &self,
        goal: ImageGoal,
        target: usize,
        candidate: ImageCandidate,
        steps: usize,
    ) -> PictureTaskBuilder {
        let file = || {
            let shape = self.protocol.shapes.get(target);
            let name = shape.map_or("", |shape| shape.name());
            self.folder.path().join(format!("{goal}-{name}.png"))
        };
        let kind = match goal {
            ImageGoal::Text => PictureGoalKind::Text {
                prompt: self.protocol.target_name(goal, target),
            },
            ImageGoal::Seg => PictureGoalKind::Seg { mask: file() },
            ImageGoal::Sketch => PictureGoalKind::Sketch { drawing: file() },
        };
        let mut task = task(self.protocol);
        if let Some(cfg) = candidate.cfg {
            let text = self.protocol.target_name(goal, target);
            task = task.text(text).cfg(cfg);
        }
        task.goal(alone(kind))
            .method(candidate.method)
            .augmentations(candidate.augmentations)
            .guidance_scale(self.protocol.scale(goal, candidate))
            .schedule(self.protocol.schedule)
            .steps(steps)
    }

    /// Measures pictures of a target; also the judge's rows `[pictures, e]`.
    pub fn measure(
        &mut self,
        goal: ImageGoal,
        target: usize,
        images: &[GeneratedImage],
    ) -> Result<(Vec<PictureRecord>, Option<Array2<f32>>), Error> {
        let views: Vec<_> = images.iter().map(|image| image.picture.0.view()).collect();
        let batch: ArrayD<f32> = stack(Axis(0), &views)
            .map_err(|error| Error::Internal(error.to_string()))?
            .into_dyn();
        let [height, width] = [batch.shape()[2], batch.shape()[3]];
        let shape = match goal {
            ImageGoal::Seg => self.protocol.shapes.get(target),
            _ => None,
        };
        let mask = shape.map(|shape| shape.coverage([height, width]));
        let [guide, judge] = self.generator.encoders();
        let embed = |encoders: Option<&mut PairEncoders>| {
            encoders
                .map(|encoders| encoders.embed_images(&batch))
                .transpose()
        };
        let judged = embed(judge)?;
        let guided = match goal {
            ImageGoal::Text => embed(guide)?,
            _ => None,
        };
        let named = |rows: &Option<Array2<f32>>, texts: &Option<Array2<f32>>, picture: usize| {
            let cosines = texts.as_ref()?.dot(&rows.as_ref()?.row(picture));
            let own = *cosines.get(target)?;
            let best = cosines.iter().all(|other| *other <= own);
            Some((f64::from(own), best))
        };
        let mut records = Vec::with_capacity(images.len());
        for (picture, image) in images.iter().enumerate() {
            let (mut guide, mut judge) = (None, None);
            if goal == ImageGoal::Text {
                guide = named(&guided, &self.texts[0], picture);
                judge = named(&judged, &self.texts[1], picture);
            }
            let distance = image.report.losses.get(goal.name());
            records.push(PictureRecord {
                target,
                seed: image.report.seed,
                distance: *distance.ok_or_else(|| Error::Internal("no loss".to_owned()))?,
                guide_score: guide.map(|g| g.0),
                judge_score: judge.map(|j| j.0),
                guide_named: guide.map(|g| g.1),
                judge_named: judge.map(|j| j.1),
                overlap: mask.as_ref().map(|mask| overlap(image, mask)),
            });
        }
        Ok((records, judged))
    }
}

fn task(protocol: &ImageProtocol) -> PictureTaskBuilder {
    let models = &protocol.models;
    PictureTask::builder()
        .denoiser(&models.denoiser)
        .embedding(&models.embedding)
        .judge(&models.judge)
        .segmentation(&models.segmentation)
}

fn alone(kind: PictureGoalKind) -> PictureGoal {
    PictureGoal { kind, weight: 1.0 }
}

/// Intersection over union of a mask and the pixels that are not white.
fn overlap(image: &GeneratedImage, mask: &Array2<f32>) -> f64 {
    let (mut both, mut either) = (0_usize, 0_usize);
    for ((row, column), cover) in mask.indexed_iter() {
        let wanted = *cover >= 0.5;
        let pixel = (0..3).map(|channel| image.picture.0[[channel, row, column]]);
        let is = pixel.fold(f32::INFINITY, f32::min) < NOT_WHITE;
        both += usize::from(wanted && is);
        either += usize::from(wanted || is);
    }
    both as f64 / either.max(1) as f64
}

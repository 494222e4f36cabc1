//! A task's goals as losses on x̂0.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use kinograd_guidance::{GuidanceError, Loss, LossValue, SumLoss, TextSimilarity};
use kinograd_image::{
    AsEmbedding, Augmented, ClassLoss, ColourStatistics, ColourTarget, DecodedLossAdapter,
    EdgeMatch, ImageAugmentation, ImageOperator, LinearMeasurement, MaskMatch, Network,
    NetworkPullBack, Preprocessed, PreprocessedLoss, Preprocessing, RewardLoss, resized,
};
use kinograd_runtime::{
    Engine, ImageDecoder, OnnxNetwork, Package, Reference, Role, SessionOptions, TextEncoder,
};
use ndarray::{Array2, ArrayD, Axis};

use super::judge::Judge;
use super::own_network::OwnNetwork;
use super::{PictureGoalKind, PictureSpec, ReadPicture};
use crate::Error;

/// What stands behind drawings, for what augmentations move into the image.
const WHITE: f64 = 1.0;

/// Image and text encoders of a CLIP-like package.
pub struct PairEncoders {
    image: OnnxNetwork,
    /// From the pictures that are made to those that the encoder reads.
    preprocessing: Preprocessing,
    pub(super) text: TextEncoder,
    /// What the training data's embeddings are like, where the package says.
    pub reference: Option<Reference>,
}

impl PairEncoders {
    pub(super) fn open(
        engine: &Arc<dyn Engine>,
        package: &Package,
        picture: [usize; 3],
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let own = package.manifest().image()?.size();
        Ok(Self {
            preprocessing: Preprocessing::between(picture, own)?,
            image: OnnxNetwork::of_package(
                engine.clone(),
                package,
                Role::ImageEmbedding,
                "image",
                "embedding",
                options.clone(),
            )?,
            text: TextEncoder::open(engine, package, options)?,
            reference: if package.has(Role::Reference) {
                Some(package.reference()?)
            } else {
                None
            },
        })
    }

    /// Unit rows `[texts, e]`.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the encoder fails.
    pub fn embed_texts(&mut self, texts: &[&str]) -> Result<Array2<f32>, Error> {
        Ok(unit_rows(self.text.encode(texts)?.embedding))
    }

    /// Unit rows `[images, e]` of images `[images, channels, height, width]` in −1..1, of the size that
    /// the generator makes.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the encoder fails, [`Error::Guidance`] for images of another size.
    pub fn embed_images(&mut self, images: &ArrayD<f32>) -> Result<Array2<f32>, Error> {
        Ok(unit_rows(self.rows(images)?))
    }

    /// Rows `[images, e]` as the encoder gives them.
    fn rows(&mut self, images: &ArrayD<f32>) -> Result<Array2<f32>, Error> {
        let seen = self.preprocessing.apply(images)?;
        let rows = self.image.run(&seen)?.into_dimensionality();
        rows.map_err(|error| Error::Internal(error.to_string()))
    }

    /// The image encoder as a loss on the pictures that are made sees it.
    fn network(&mut self) -> Preprocessed<Judge<'_>> {
        Preprocessed::new(Judge(&mut self.image), self.preprocessing.clone())
    }

    /// Cosines between images `[batch, …]` and a text.
    pub(super) fn scores(&mut self, images: &ArrayD<f32>, prompt: &str) -> Result<Vec<f64>, Error> {
        let text = self.embed_texts(&[prompt])?;
        let cosines = self.embed_images(images)?.dot(&text.row(0));
        Ok(cosines.into_iter().map(f64::from).collect())
    }
}

fn unit_rows(mut rows: Array2<f32>) -> Array2<f32> {
    for mut row in rows.rows_mut() {
        let length = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
        row /= length;
    }
    rows
}

/// Networks that the goals need, opened once.
pub(super) struct Networks {
    pub encoders: Option<PairEncoders>,
    /// With what it sees of the pictures that are made.
    pub segmentation: Option<(OnnxNetwork, Preprocessing)>,
    /// Classifiers and rewards, by their goal's index.
    pub own: BTreeMap<usize, OwnNetwork>,
}

/// A package's segmentation network, and what it sees of the pictures that are made.
pub(super) fn open_segmentation(
    engine: &Arc<dyn Engine>,
    package: &Package,
    picture: [usize; 3],
    options: &SessionOptions,
) -> Result<(OnnxNetwork, Preprocessing), Error> {
    let seen = Preprocessing::between(picture, package.manifest().image()?.size())?;
    let (engine, options) = (engine.clone(), options.clone());
    let role = Role::Segmentation;
    let network = OnnxNetwork::of_package(engine, package, role, "image", "logits", options)?;
    Ok((network, seen))
}

/// A latent model's decoder as a loss sees it.
struct Decoding<'a>(&'a mut ImageDecoder);

impl Network for Decoding<'_> {
    fn linearize<'b>(
        &'b mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'b>), Box<dyn std::error::Error + Send + Sync>> {
        let (pictures, mut pull_back) = self.0.linearize(x0)?;
        Ok((
            pictures,
            Box::new(move |cotangent| Ok(pull_back(cotangent)?)),
        ))
    }
}

/// A loss on pictures as one on what the sampler walks: through the decoder, if there is one.
pub(super) fn on_samples<'a>(
    loss: impl Loss + 'a,
    decoder: Option<&'a mut ImageDecoder>,
) -> Box<dyn Loss + 'a> {
    match decoder {
        Some(decoder) => Box::new(DecodedLossAdapter::new(Decoding(decoder), loss)),
        None => Box::new(loss),
    }
}

/// A goal with its files read, at the model's size.
pub(super) enum Prepared {
    Text(Vec<f32>),
    Identity(Vec<f32>),
    Seg(Array2<f32>),
    Class(usize),
    Reward,
    Plain(Box<dyn Fn() -> Result<Box<dyn Loss>, GuidanceError>>),
}

/// Reads a goal's files and checks them against the model's size `[channels, height, width]`.
pub(super) fn prepare(
    condition: &PictureGoalKind,
    made: [usize; 3],
    networks: &mut Networks,
) -> Result<Prepared, Error> {
    let [channels, height, width] = made;
    let size = [height, width];
    // What is seen on white has no opacity.
    let on_white = Preprocessing::between(made, [channels.min(3), height, width])?;
    let plain = |make: Box<dyn Fn() -> Result<Box<dyn Loss>, GuidanceError>>| {
        // Once now, so that what cannot be is refused before the work.
        make()?;
        Ok(Prepared::Plain(make))
    };
    match condition {
        PictureGoalKind::Text { prompt } => {
            let encoders = networks.encoders.as_mut().ok_or_else(no_towers)?;
            let text = encoders.text.encode(&[prompt])?.embedding;
            Ok(Prepared::Text(text.row(0).to_vec()))
        }
        PictureGoalKind::Identity { picture } => {
            let encoders = networks.encoders.as_mut().ok_or_else(no_towers)?;
            let picture = fitting(picture, size)?
                .with_channels(channels)?
                .resized(size)?;
            let image = picture.0.insert_axis(Axis(0)).into_dyn();
            let row = encoders.rows(&image)?;
            Ok(Prepared::Identity(row.into_iter().collect()))
        }
        PictureGoalKind::Seg { mask } => Ok(Prepared::Seg(foreground(mask, size)?)),
        PictureGoalKind::Class { class, .. } => Ok(Prepared::Class(*class)),
        PictureGoalKind::Reward { .. } => Ok(Prepared::Reward),
        PictureGoalKind::Sketch { drawing } => {
            let lines = fitting(drawing, size)?.picture.brightness();
            let edges = resized(&lines, size)?.mapv(|light| f64::from(1.0 - light).clamp(0.0, 1.0));
            if edges.iter().all(|edge| *edge < 0.1) {
                return Err(of_file(drawing, "it shows no dark line on light ground"));
            }
            plain(Box::new(move || {
                let edges = EdgeMatch::new(edges.clone())?;
                Ok(Box::new(PreprocessedLoss::new(edges, on_white.clone())))
            }))
        }
        PictureGoalKind::Colour { picture } => {
            let picture = ReadPicture::open(picture)?.with_channels(channels.min(3))?;
            let target = ColourTarget::of(picture.0.view());
            plain(Box::new(move || {
                let colours = ColourStatistics::new(target.clone())?;
                Ok(Box::new(PreprocessedLoss::new(colours, on_white.clone())))
            }))
        }
        PictureGoalKind::Inpaint { mask, image } => {
            let missing = foreground(mask, size)?;
            let kept = missing.mapv(|hole| f64::from(hole < 0.5));
            if kept.iter().all(|keep| *keep == 0.0) {
                return Err(of_file(
                    mask,
                    "all of it is white: nothing of the image is kept",
                ));
            }
            plain(measurement(
                "inpaint",
                ImageOperator::keep(kept)?,
                image,
                channels,
            )?)
        }
        PictureGoalKind::SuperResolution { factor, image } => {
            let operator = ImageOperator::box_downsample(size, *factor)?;
            plain(measurement("sr", operator, image, channels)?)
        }
        PictureGoalKind::Bicubic { factor, image } => {
            let operator = ImageOperator::bicubic_downsample(size, *factor)?;
            plain(measurement("bicubic", operator, image, channels)?)
        }
        PictureGoalKind::Blur { sigma_px, image } => {
            let operator = ImageOperator::gaussian_blur(size, *sigma_px)?;
            plain(measurement("blur", operator, image, channels)?)
        }
    }
}

type Make = Box<dyn Fn() -> Result<Box<dyn Loss>, GuidanceError>>;

/// The picture at the size that the operator measures.
fn measurement(
    name: &'static str,
    operator: ImageOperator,
    image: &Path,
    channels: usize,
) -> Result<Make, Error> {
    let size = operator.output_size();
    let picture = fitting(image, size)?
        .with_channels(channels)?
        .resized(size)?;
    Ok(Box::new(move || {
        let measured = LinearMeasurement::new(name, operator.clone(), picture.0.view())?;
        Ok(Box::new(measured))
    }))
}

/// A picture of the shape that is needed, at any size.
fn fitting(path: &Path, [height, width]: [usize; 2]) -> Result<ReadPicture, Error> {
    let read = ReadPicture::open(path)?;
    let [own_height, own_width] = read.picture.size();
    if own_height * width != own_width * height {
        return Err(of_file(
            path,
            &format!(
                "it is {own_width} × {own_height} pixels; {width} × {height} or the same shape at \
                 another size is needed: crop it first"
            ),
        ));
    }
    Ok(read)
}

/// A mask at the model's size.
fn foreground(path: &Path, size: [usize; 2]) -> Result<Array2<f32>, Error> {
    let mask = resized(&fitting(path, size)?.mask(), size)?.mapv(|m| m.clamp(0.0, 1.0));
    if mask.iter().all(|m| *m < 0.5) {
        return Err(of_file(
            path,
            "the mask has no foreground: nothing in it is white (or opaque)",
        ));
    }
    Ok(mask)
}

fn of_file(path: &Path, message: &str) -> Error {
    Error::Read {
        path: path.to_path_buf(),
        source: message.to_owned().into(),
    }
}

fn no_towers() -> Error {
    Error::Internal("the encoders are not open".to_owned())
}

/// A goal, its weight and whether augmentation smooths it.
pub(super) struct Term<'a> {
    pub index: usize,
    pub weight: f64,
    pub is_network: bool,
    pub prepared: &'a Prepared,
}

/// The goals with what was prepared for each.
pub(super) fn terms<'a>(task: &PictureSpec, prepared: &'a [Prepared]) -> Vec<Term<'a>> {
    let goals = task.goals.iter().zip(prepared).enumerate();
    goals
        .map(|(index, (goal, prepared))| Term {
            index,
            weight: goal.weight,
            is_network: goal.kind.is_network(),
            prepared,
        })
        .collect()
}

/// The goal's name, with its number where several are alike.
pub(super) fn name_of(task: &PictureSpec, index: usize) -> String {
    let name = task.goals[index].kind.name();
    let before = &task.goals[..index];
    match before.iter().filter(|g| g.kind.name() == name).count() {
        0 => name.to_owned(),
        earlier => format!("{name}-{}", earlier + 1),
    }
}

/// The weighted sum of the goals' losses. One goal may hold the encoders: `SumLoss` runs its terms
/// after one another, but each borrows its network for the whole run.
pub(super) fn sum<'a>(
    terms: &[Term<'_>],
    networks: &'a mut Networks,
    augmentations: usize,
    seed: u64,
    last: Rc<Cell<f64>>,
) -> Result<Recorded<SumLoss<'a>>, Error> {
    let mut sum = SumLoss::new();
    let mut encoders = networks.encoders.as_mut();
    let mut segmentation = networks.segmentation.as_mut();
    let mut own: BTreeMap<usize, &'a mut OwnNetwork> =
        networks.own.iter_mut().map(|(k, v)| (*k, v)).collect();
    // All embeddings that are looked for share one call of the image tower.
    let mut wanted: Vec<(f64, Vec<f32>)> = Vec::new();
    for term in terms {
        let loss: Box<dyn Loss + 'a> = match term.prepared {
            Prepared::Text(row) | Prepared::Identity(row) => {
                wanted.push((term.weight, row.clone()));
                continue;
            }
            Prepared::Seg(mask) => {
                let (network, seen) = segmentation.take().ok_or_else(twice)?;
                let network = Preprocessed::new(Judge(network), seen.clone());
                Box::new(MaskMatch::new(network, mask.clone())?)
            }
            Prepared::Class(class) => {
                let network = own.remove(&term.index).ok_or_else(twice)?;
                Box::new(ClassLoss::new(network.network(), *class))
            }
            Prepared::Reward => {
                let network = own.remove(&term.index).ok_or_else(twice)?;
                Box::new(RewardLoss::new(network.network()))
            }
            Prepared::Plain(make) => make()?,
        };
        sum = if term.is_network && augmentations > 0 {
            sum.with(term.weight, augmented(loss, augmentations, seed)?)?
        } else {
            sum.with(term.weight, loss)?
        };
    }
    if !wanted.is_empty() {
        let network = encoders.take().ok_or_else(no_towers)?.network();
        let total: f64 = wanted.iter().map(|(weight, _)| weight).sum();
        // A sum of cosines to unit vectors is the cosine to their sum, times its length.
        let mut row = vec![0.0_f32; wanted[0].1.len()];
        for (weight, own) in &wanted {
            let norm = own.iter().map(|v| v * v).sum::<f32>().sqrt();
            for (out, value) in row.iter_mut().zip(own) {
                *out += (*weight as f32) * value / norm.max(f32::MIN_POSITIVE);
            }
        }
        let length = f64::from(row.iter().map(|v| v * v).sum::<f32>().sqrt());
        let loss = TextSimilarity::new(AsEmbedding(network), &row)?;
        let weight = if wanted.len() == 1 { total } else { length };
        sum = if augmentations > 0 {
            sum.with(weight, augmented(loss, augmentations, seed)?)?
        } else {
            sum.with(weight, loss)?
        };
    }
    Ok(Recorded { inner: sum, last })
}

fn twice() -> Error {
    Error::Request {
        field: "loss",
        message: "seg= may be given once".to_owned(),
    }
}

fn augmented<L: Loss>(loss: L, count: usize, seed: u64) -> Result<Augmented<L>, GuidanceError> {
    let augmentation = ImageAugmentation {
        fill: WHITE,
        ..ImageAugmentation::default()
    };
    Augmented::new(loss, augmentation, count, seed)
}

/// A loss that remembers the mean of its last values.
pub(super) struct Recorded<L> {
    inner: L,
    last: Rc<Cell<f64>>,
}

impl<L: Loss> Loss for Recorded<L> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let value = self.inner.value_and_grad(x0)?;
        let count = value.values.len().max(1) as f64;
        self.last.set(value.values.iter().sum::<f64>() / count);
        Ok(value)
    }
}

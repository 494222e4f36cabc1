//! A network of the user's that judges pictures.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kinograd_image::{Network, Preprocessed, Preprocessing};
use kinograd_runtime::{Engine, OnnxNetwork, SessionOptions};
use ndarray::ArrayD;

use super::judge::Judge;
use super::{NetworkInput, PictureGoal, PictureGoalKind};
use crate::Error;

/// A classifier or reward, and how it sees pictures.
pub(super) struct OwnNetwork {
    network: OnnxNetwork,
    preprocessing: Preprocessing,
}

impl OwnNetwork {
    /// The networks of goals by their index, each run and differentiated once; their hashes are added.
    pub fn of_goals(
        engine: &Arc<dyn Engine>,
        goals: &[PictureGoal],
        picture: [usize; 3],
        options: &SessionOptions,
        hashes: &mut BTreeMap<String, String>,
    ) -> Result<BTreeMap<usize, Self>, Error> {
        let mut all = BTreeMap::new();
        for (index, goal) in goals.iter().enumerate() {
            if let Some((file, own)) = Self::of_goal(engine, &goal.kind, picture, options)? {
                hashes.insert(file, own.network.sha256().to_owned());
                all.insert(index, own);
            }
        }
        Ok(all)
    }

    /// The network of a goal, with its file; `None` where the goal has none.
    fn of_goal(
        engine: &Arc<dyn Engine>,
        goal: &PictureGoalKind,
        picture: [usize; 3],
        options: &SessionOptions,
    ) -> Result<Option<(String, Self)>, Error> {
        let (PictureGoalKind::Class { network, input, .. }
        | PictureGoalKind::Reward { network, input }) = goal
        else {
            return Ok(None);
        };
        let mut own = Self::open(engine, network, input, picture, options)?;
        own.check(network, goal, picture)?;
        Ok(Some((network.display().to_string(), own)))
    }

    fn open(
        engine: &Arc<dyn Engine>,
        path: &Path,
        input: &NetworkInput,
        picture: [usize; 3],
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let network = OnnxNetwork::of_file(engine.clone(), path, options.clone())?;
        let name = network.input();
        let refuse = |message: String| refused(path, &format!("input {name}: {message}"));
        let hints = network.pixels().ok_or_else(|| {
            refuse("pictures have four dimensions, [batch, channels, height, width]".to_owned())
        })?;
        let format = input.format(hints, picture).map_err(refuse)?;
        Ok(Self {
            preprocessing: Preprocessing::new(picture, format)?,
            network,
        })
    }

    /// Runs it once, so that what does not fit is said before the work.
    fn check(
        &mut self,
        path: &Path,
        goal: &PictureGoalKind,
        [channels, height, width]: [usize; 3],
    ) -> Result<(), Error> {
        let grey = ArrayD::zeros(vec![1, channels, height, width]);
        let failed = |source| Error::Read {
            path: path.to_path_buf(),
            source,
        };
        let mut seen = self.network();
        let (output, mut pull_back) = seen.linearize(&grey).map_err(failed)?;
        pull_back(&ArrayD::ones(output.raw_dim())).map_err(failed)?;
        let shape = output.shape();
        match goal {
            PictureGoalKind::Class { class, .. } if *class >= output.len() => Err(refused(
                path,
                &format!(
                    "class {class} is none of the {} of its output {shape:?}",
                    output.len()
                ),
            )),
            PictureGoalKind::Reward { .. } if output.len() != 1 => Err(refused(
                path,
                &format!("a reward is one number for a picture; its output is {shape:?}"),
            )),
            _ => Ok(()),
        }
    }

    /// As a loss on our pictures sees it.
    pub fn network(&mut self) -> Preprocessed<Judge<'_>> {
        Preprocessed::new(Judge(&mut self.network), self.preprocessing.clone())
    }
}

fn refused(path: &Path, message: &str) -> Error {
    Error::Request {
        field: "loss",
        message: format!("{}: {message}", path.display()),
    }
}

//! The part of the story in which a model is served: from an image to an answer.

use anyhow::{Result, ensure};
use reeve_e2e::model_serving::{IMAGE, ModelServing};
use reeve_e2e::{CommandLine, blocking};
use reeve_testkit::binary;

use super::Walkthrough;

/// The namespace in which the model is served; it is no project's.
pub(crate) const MODELS: &str = "models";
const PROMPT: &str = "no pod";

impl Walkthrough<'_> {
    /// Serves the tiny model, asks it, and shows what came into being.
    ///
    /// # Errors
    /// A step that did not do what the story says.
    pub(crate) fn serve(&self, serving: &ModelServing) -> Result<()> {
        self.heading("A model is served through the real KServe: from an image to Running");
        let create = [
            "service",
            "create",
            "chat",
            "--image",
            IMAGE,
            "-n",
            MODELS,
            "--wait",
            "--timeout",
            "3m",
        ];
        self.reeve(&create)?;
        self.reeve(&["service", "list", "-n", MODELS, "-o", "wide"])?;
        self.heading("Its file was downloaded once, into a volume, by a pod that is not root");
        self.reeve(&["artifact", "list", "-n", MODELS, "-o", "wide"])?;
        self.heading("It is asked by KServe's Service to go on with a sentence");
        let answer = blocking(|| serving.ask(&self.stack.cluster, MODELS, "chat", PROMPT))?;
        self.lines(&answer.to_string());
        let text = answer
            .get("text")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        ensure!(
            text.starts_with(PROMPT) && text.len() > PROMPT.len(),
            "the model had nothing to say: {answer}"
        );
        Ok(())
    }

    fn reeve(&self, words: &[&str]) -> Result<()> {
        self.lines(&format!("$ reeve {}", words.join(" ")));
        let line = CommandLine::new(&binary("reeve")?, &self.stack.dir().join("serving/settings"));
        let kubeconfig = self.stack.cluster.installer_kubeconfig().display().to_string();
        let printed = blocking(|| line.must(&[words, &["--kubeconfig", &kubeconfig]].concat()))?;
        self.lines(&printed);
        Ok(())
    }
}

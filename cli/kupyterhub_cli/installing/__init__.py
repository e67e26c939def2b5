"""An installation on Google Cloud: decided on, prepared for, deployed, and taken down; all by `gcloud`."""

//! kube-kit

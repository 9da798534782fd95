"""Kubernetes: Strimzi for Kafka, Kustomize for the rest."""

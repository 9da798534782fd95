"""What the broker and the registry should hold, by the policy: topics, ACLs, quotas, schemas, principals."""

"""What a field's value becomes, one file each."""

"""From volumes to training patches: phantoms, resampling, splits, patches, augmentation."""

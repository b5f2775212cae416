"""People, texts and labels: projects, the queue, annotating and reviewing."""

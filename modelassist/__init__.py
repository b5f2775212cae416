"""The model in the loop: predict, train, evaluate, promote, prioritize."""

import os

# Read by OpenMP when torch is loaded. By default its threads spin while they wait for each other; on a
# machine whose cores are shared with the web process, the database or another worker that costs 10 to 30
# times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

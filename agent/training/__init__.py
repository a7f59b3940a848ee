"""Training in Gymnasium environments: the loop, the run and its folder, resumption, evaluation."""

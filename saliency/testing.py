"""check_explainer: what every explainer must do."""

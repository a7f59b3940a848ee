"""Whole lives in worlds that change, and what a curve or a network says about them."""

"""Tests on the real networks; each is skipped where its framework is absent."""

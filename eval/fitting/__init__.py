"""The fits behind the answers: data, features, and the commands that fit them."""

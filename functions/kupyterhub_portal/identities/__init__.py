"""The two ways to learn who somebody is; both verify an assertion of somebody else's."""

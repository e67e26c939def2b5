plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Files are named by what is in them, and there is no main.tf that would have to be.
rule "terraform_standard_module_structure" {
  enabled = false
}

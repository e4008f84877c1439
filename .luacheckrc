std = "lua54"
max_line_length = 100
files["lua/meta/**"].ignore = { "111", "112", "113", "131", "211", "212" }

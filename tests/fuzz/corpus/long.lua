scenario(("x"):rep(100000)) { duration = ("9"):rep(1000) .. "s", about = ("y"):rep(100000) }
service(("z"):rep(100000)) { [("w"):rep(100000)] = 1 }
local s = ("\27[31m\0\1\200"):rep(10)
service(s) { policy = s, replicas = s }
error(("e"):rep(100000))

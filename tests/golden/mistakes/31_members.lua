scenario "Members are changed while it runs" { duration = "1m" }

local etcd = consensus "etcd" { nodes = 3, members = 4 }
etcd:member_add { node = etcd.node[3] }

-- Names that a graph or a terminal could take for something else.
scenario "A \"quoted\" \27[31mname; </script> \226\128\174" { duration = "1m" }

local web = service "we\"b]] --> x<br/>" {}
traffic "us#ers|`a`\\" { to = web, rate = "10/s", op = "GET \"/x\"|{y}" }
fault.pause { web, at = "10s", lasting = "5s" }
expect "é is\ntwo lines" { always = web.errors.ratio:below "1%" }

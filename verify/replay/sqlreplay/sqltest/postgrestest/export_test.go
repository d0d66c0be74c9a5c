package postgrestest

var Give = give

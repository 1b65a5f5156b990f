// SPDX-License-Identifier: MIT
// mlp_crc16 - one byte more of a CRC-16/CCITT-FALSE, in one combinational step
//
//     next = remainder of (crc * 2^8 + data * 2^16) by x^16 + x^12 + x^5 + 1
//
// Golden model   binascii.crc_hqx, started at 16'hffff
//
// Over a frame with its CRC behind it, the higher byte first, the remainder is 0.

`default_nettype none

module mlp_crc16 (
    input  wire [15:0] crc,
    input  wire [7:0]  data,
    output reg  [15:0] next
);

    localparam [15:0] POLYNOMIAL = 16'h1021;

    integer i;

    always @* begin
        next = crc ^ {data, 8'd0};
        for (i = 0; i < 8; i = i + 1)
            next = {next[14:0], 1'b0} ^ (next[15] ? POLYNOMIAL : 16'd0);
    end

endmodule

`default_nettype wire

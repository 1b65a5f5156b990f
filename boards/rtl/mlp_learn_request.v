// SPDX-License-Identifier: MIT
// mlp_learn_request - frames of a line to requests for a core that learns, each checked whole
//
// Golden model   boards/lessons.py: request
// Stream         in: bytes of frames; out: a request, which stays until it is done
// Latency        1 cycle from the end of a frame to the request; 1 from body_addr to body_data
//
// A frame is a tag, a kind, a number of two bytes, a body, and a CRC-16 of all before; numbers have
// their higher byte first. Until a request is done, further frames are dropped. Frames of no byte
// are none.

`default_nettype none

module mlp_learn_request #(
    parameter BODY = 64                 // bytes of the longest body, 1 or more
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        in_valid,
    input  wire        in_end,
    input  wire        in_bad,
    input  wire [7:0]  in_data,

    output reg         out_valid,
    input  wire        out_done,
    output reg         out_damaged,     // or too short for a request: nothing of it is believed
    output wire [7:0]  out_tag,
    output wire [7:0]  out_kind,
    output wire [15:0] out_number,
    output reg  [15:0] out_digest,      // the frame's own CRC
    output wire [15:0] out_length,      // bytes of the body; one that is too long is longer than BODY

    input  wire [$clog2(BODY+8)-1:0] body_addr,
    output wire [7:0]                body_data
);

    localparam COUNT_W = $clog2(BODY + 8);

    localparam integer TOO_LONG = BODY + 7;
    localparam [COUNT_W-1:0] HEADER = 4, SHORTEST = 6;

    reg               dropping;                 // until the frame that came too early ends
    reg [COUNT_W-1:0] count;                    // bytes of this frame, up to TOO_LONG
    reg [31:0]        header;
    reg [15:0]        crc;
    wire [15:0]       crc_next;

    wire taken = in_valid && !out_valid && !dropping;
    wire ends  = taken && in_end && count != {COUNT_W{1'b0}};

    assign {out_tag, out_kind, out_number} = header;
    assign out_length = {{(16-COUNT_W){1'b0}}, count} - {{(16-COUNT_W){1'b0}}, SHORTEST};

    mlp_crc16 u_crc (.crc(crc), .data(in_data), .next(crc_next));

    mlp_learn_ram #(.WIDTH(8), .DEPTH(BODY + 8)) u_bytes (
        .clk(clk), .write(taken && !in_end), .write_addr(count[COUNT_W-1:0]), .write_data(in_data),
        .addr(body_addr), .data(body_data)
    );

    always @(posedge clk) begin
        if (rst || (out_valid && out_done))
            out_valid <= 1'b0;
        else if (ends)
            out_valid <= 1'b1;
    end

    always @(posedge clk) begin
        if (rst || (in_valid && in_end))
            dropping <= 1'b0;
        else if (in_valid && out_valid)
            dropping <= 1'b1;
    end

    // A request's count stays, which is its length, until the next frame.
    always @(posedge clk) begin
        if (rst || (out_valid && out_done) || (taken && in_end && !ends)) begin
            count <= {COUNT_W{1'b0}};
            crc   <= 16'hffff;
        end else if (taken && !in_end) begin
            count <= count == TOO_LONG[COUNT_W-1:0] ? count : count + 1'b1;
            crc   <= crc_next;
        end
    end

    always @(posedge clk) begin
        if (taken && !in_end && count < HEADER)
            header <= {header[23:0], in_data};
        if (taken && !in_end)
            out_digest <= {out_digest[7:0], in_data};
        if (ends)
            out_damaged <= in_bad || crc != 16'd0 || count < SHORTEST;
    end

endmodule

`default_nettype wire
